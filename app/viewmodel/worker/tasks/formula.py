"""The pair law of a model as a closed form, looked for in the data set that is open."""

from dataclasses import dataclass

from app.viewmodel.state.formula import FormulaReport
from app.viewmodel.state.setup import Setup
from app.viewmodel.worker.tasks.task import Cancelled, Part, Progress, Task


class CancelledError(Exception):
    """The search was stopped."""


@dataclass(frozen=True)
class FormulaTask(Task):
    """Fit candidates to the setup's data, as `surrogate.recover` does; parts say what is done."""

    setup: Setup

    def run(self, progress: Progress, cancelled: Cancelled, part: Part) -> FormulaReport | None:
        """See Task; None where it was cancelled."""
        from app.viewmodel.worker.loaded_models import tuned_model
        from surrogate.evaluation.formula.report import formula_curve, formula_numbers, formula_remarks
        from surrogate.evaluation.formula.search import formula_of
        from surrogate.evaluation.pair_law_recovery import outside_of, recovery, recovery_split

        setup = self.setup
        model = tuned_model(setup.model, setup.effort)
        split = recovery_split(setup.data)
        found = recovery(model, split)

        def report(text: str, share: float) -> None:
            if cancelled():
                raise CancelledError
            part(text)
            progress(share)

        try:
            formula = formula_of(model, split, found.seen, report)
        except CancelledError:
            return None
        numbers = formula_numbers(found, formula)
        true, learned, _ = found.curves()
        curves = {"learned": learned}
        if formula.candidate is not None:
            curves["formula"] = formula_curve(found, formula)
        if true is not None:
            curves["true"] = true
        return FormulaReport(
            numbers["form"] or "",
            numbers["formula"],
            tuple((name, p["value"], p["error"]) for name, p in numbers["parameters"].items()),
            (*formula_remarks(numbers), *split.notes, *outside_of(model, split)),
            found.distances,
            curves,
        )
