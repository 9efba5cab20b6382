"""What people hold in their hands: a map as PNG and a page as HTML, made from a result and nothing else.

`map_png(result)` and `report_html(result)`.
"""

from services.model.report.figure import map_png
from services.model.report.page import report_html

__all__ = ["map_png", "report_html"]
