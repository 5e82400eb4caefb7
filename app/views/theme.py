"""The look of the widgets, from the same palette as the pictures."""

from resources import ICONS
from surrogate.render.theme import THEMES, Theme


def style_sheet(name: str) -> str:
    """The application's Qt style sheet for a theme."""
    t: Theme = THEMES[name]
    accent = t.forecast
    images = ("up", "down", "close", "float", "tick")
    up, down, close, detach, tick = ((ICONS / f"{name}.svg").as_posix() for name in images)
    return f"""
* {{ font-family: "Inter", "DejaVu Sans", sans-serif; font-size: 12px; color: {t.text}; }}
QMainWindow, QWidget#side, QWidget#bottom, QScrollArea, QDialog {{ background: {t.panel}; }}
QLabel {{ background: transparent; }}
QWidget#charts {{ background: {t.panel}; }}
QScrollArea {{ border: none; }}
QLabel#muted {{ color: {t.muted}; }}
QLabel#value {{ font-weight: 600; font-family: "DejaVu Sans Mono", monospace; }}
QLabel#badge {{ color: {t.warning}; font-weight: 600; }}
QLabel#message {{ background: {t.line}; border-radius: 6px; padding: 8px 12px; }}
QLabel#error {{ background: {t.link}; color: #1a0d0d; border-radius: 6px; padding: 8px 12px; font-weight: 600; }}
QScrollArea#help, QFrame#palette, QFrame#offer {{
    background: {t.panel}; border: 1px solid {t.line}; border-radius: 10px; }}
QLabel#helptext {{ background: {t.panel}; padding: 14px 20px; }}
QLabel#heading {{ font-weight: 600; }}
QLabel#keys {{ color: {accent}; font-weight: 600; }}
QListWidget {{ background: {t.panel}; border: none; outline: none; }}
QListWidget::item {{ border-radius: 5px; }}
QListWidget::item:selected {{ background: {t.line}; }}
QPushButton, QToolButton {{
    background: {t.background}; border: 1px solid {t.line}; border-radius: 6px; padding: 5px 9px; }}
QPushButton[small="true"] {{ padding: 5px 5px; }}
QPushButton:hover, QToolButton:hover {{ border-color: {accent}; }}
QPushButton:pressed, QToolButton:pressed {{ background: {t.line}; }}
QPushButton:focus, QToolButton:focus {{ border-color: {accent}; }}
QPushButton:checked, QToolButton:checked {{
    background: {accent}; color: {t.background}; border-color: {accent}; font-weight: 600; }}
QPushButton#primary {{ background: {accent}; color: {t.background}; border-color: {accent}; font-weight: 600; }}
QPushButton#primary:focus, QPushButton#primary:hover {{ border-color: {t.text}; }}
QPushButton#primary:disabled {{
    background: {t.background}; border-color: {t.line}; color: {t.muted}; }}
QPushButton:disabled, QToolButton:disabled {{ color: {t.muted}; }}
QToolButton#tiny {{ padding: 0 5px; border-radius: 4px; font-size: 10px; }}
QPushButton#choice {{ text-align: left; }}
QLabel#task {{ color: {t.warning}; font-weight: 600; }}
QLabel#task[done="true"] {{ color: {accent}; }}
QPushButton#play {{ padding: 5px 14px; }}
QPushButton#plane {{ padding: 3px 0; font-family: "DejaVu Sans Mono", monospace; font-size: 11px; }}
QComboBox, QSpinBox, QDoubleSpinBox, QLineEdit {{
    background: {t.background}; border: 1px solid {t.line}; border-radius: 6px; padding: 4px 8px;
    selection-background-color: {accent}; selection-color: {t.background}; }}
QLineEdit#command {{
    padding: 2px 6px; color: {t.muted}; font-family: "DejaVu Sans Mono", monospace; font-size: 11px; }}
QLineEdit[wrong="true"] {{ border-color: {t.warning}; color: {t.warning}; }}
QComboBox:focus, QSpinBox:focus, QDoubleSpinBox:focus {{ border-color: {accent}; }}
QComboBox::drop-down {{ border: none; width: 18px; }}
QComboBox::down-arrow {{ image: url({down}); width: 10px; height: 8px; }}
QSpinBox, QDoubleSpinBox {{ padding: 4px 18px 4px 2px; }}
QAbstractSpinBox QLineEdit {{ border: none; background: transparent; padding: 0 0 0 5px; }}
QSpinBox::up-button, QDoubleSpinBox::up-button, QSpinBox::down-button, QDoubleSpinBox::down-button {{
    border: none; background: transparent; width: 16px; }}
QSpinBox::up-arrow, QDoubleSpinBox::up-arrow {{ image: url({up}); width: 9px; height: 7px; }}
QSpinBox::down-arrow, QDoubleSpinBox::down-arrow {{ image: url({down}); width: 9px; height: 7px; }}
QComboBox QAbstractItemView {{ background: {t.background}; border: 1px solid {t.line};
    selection-background-color: {accent}; selection-color: {t.background}; }}
QCheckBox {{ spacing: 5px; }}
QCheckBox:disabled {{ color: {t.muted}; }}
QCheckBox::indicator {{ width: 13px; height: 13px; border: 1px solid {t.muted}; border-radius: 3px;
    background: {t.background}; }}
QCheckBox::indicator:checked {{ background: {accent}; border-color: {accent}; image: url({tick}); }}
QCheckBox::indicator:disabled {{ border-color: {t.line}; background: {t.line}; }}
QCheckBox:focus {{ color: {accent}; }}
QCheckBox::indicator:hover {{ border-color: {accent}; }}
QTableView {{ background: {t.panel}; alternate-background-color: {t.background}; border: none;
    selection-background-color: {t.line}; selection-color: {t.text}; outline: none;
    font-family: "DejaVu Sans Mono", monospace; font-size: 11px; }}
QTableView::item {{ padding: 0 3px; }}
QTableView::item:selected {{ background: {t.line}; color: {t.text}; }}
QHeaderView {{ background: {t.panel}; }}
QHeaderView::section {{ background: {t.panel}; color: {t.muted}; border: none;
    border-bottom: 1px solid {t.line}; padding: 2px 6px; font-size: 11px; }}
QTableCornerButton::section {{ background: {t.panel}; border: none; }}
QSlider::groove:horizontal {{ height: 4px; background: {t.line}; border-radius: 2px; }}
QSlider::sub-page:horizontal {{ background: {accent}; border-radius: 2px; }}
QSlider::handle:horizontal {{ width: 14px; margin: -6px 0; border-radius: 7px; background: {t.text}; }}
QMenuBar {{ background: {t.panel}; }}
QMenuBar::item:selected, QMenu::item:selected {{ background: {accent}; color: {t.background}; }}
QMenu {{ background: {t.panel}; border: 1px solid {t.line}; padding: 4px; }}
QMenu::item {{ padding: 5px 24px 5px 20px; border-radius: 4px; }}
QMenu::separator {{ height: 1px; background: {t.line}; margin: 4px 8px; }}
QStatusBar {{ background: {t.panel}; color: {t.muted}; border-top: 1px solid {t.line}; }}
QStatusBar::item {{ border: none; }}
QStatusBar QLabel {{ color: {t.muted}; padding-left: 10px; }}
QProgressBar {{ background: {t.background}; border: 1px solid {t.line}; border-radius: 6px; text-align: center;
    max-height: 16px; min-width: 160px; }}
QProgressBar::chunk {{ background: {accent}; border-radius: 5px; }}
QToolBar {{ background: {t.panel}; border: none; spacing: 3px; padding: 4px 3px; }}
QToolBar QToolButton {{ background: transparent; border: 1px solid transparent; padding: 4px; }}
QToolBar QToolButton:hover {{ border-color: {t.line}; }}
QToolBar QToolButton:checked {{ background: {accent}; }}
QToolBar::separator {{ background: {t.line}; height: 1px; width: 1px; margin: 4px; }}
QDockWidget {{ color: {t.muted}; font-weight: 600;
    titlebar-close-icon: url({close}); titlebar-normal-icon: url({detach}); }}
QDockWidget::title {{ background: {t.panel}; padding: 5px 12px 3px 12px; border-top: 1px solid {t.line}; }}
QDockWidget::close-button, QDockWidget::float-button {{ border: none; background: transparent; padding: 1px; }}
QDockWidget::close-button:hover, QDockWidget::float-button:hover {{ background: {t.line}; border-radius: 3px; }}
QMainWindow::separator {{ background: {t.line}; width: 1px; height: 1px; }}
QMainWindow::separator:hover {{ background: {accent}; }}
QTabBar {{ background: {t.panel}; qproperty-drawBase: 0; }}
QListWidget#operations {{ background: {t.background}; border: 1px solid {t.line}; border-radius: 6px; }}
QTabBar::tab {{ background: {t.panel}; color: {t.muted}; padding: 5px 12px;
    border-bottom: 2px solid transparent; }}
QTabBar::tab:selected {{ color: {t.text}; border-bottom-color: {accent}; }}
QToolTip {{ background: {t.background}; color: {t.text}; border: 1px solid {t.line}; padding: 4px; }}
QTableWidget, QHeaderView, QPlainTextEdit {{ background: {t.panel}; border: none; gridline-color: {t.line};
    selection-background-color: {t.line}; selection-color: {t.text}; }}
QHeaderView::section {{ background: {t.panel}; color: {t.muted}; border: none; border-bottom: 1px solid {t.line};
    padding: 2px 5px; font-weight: normal; }}
QTableWidget::item {{ padding: 0 3px; }}
QTableWidget::item:disabled {{ color: {t.muted}; }}
QTableWidget QLineEdit {{ padding: 0 4px; border-radius: 0; }}
QTableCornerButton::section {{ background: {t.panel}; border: none; }}
QScrollBar:horizontal {{ background: {t.panel}; height: 10px; }}
QScrollBar::handle:horizontal {{ background: {t.line}; border-radius: 5px; min-width: 24px; }}
QScrollBar::add-line:horizontal, QScrollBar::sub-line:horizontal {{ width: 0; }}
QScrollBar:vertical {{ background: {t.panel}; width: 10px; }}
QScrollBar::handle:vertical {{ background: {t.line}; border-radius: 5px; min-height: 24px; }}
QScrollBar::add-line, QScrollBar::sub-line {{ height: 0; }}
"""
