"""How does an EGNN forecast? Its layers (`model`), its recurrent form (`recurrent`), its CPU kernels (`cpu`)."""
