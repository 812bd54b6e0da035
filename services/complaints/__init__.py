"""Residents' concerns: recorded, answered for by the first asked, handled by who accepts, settled, confirmed."""
