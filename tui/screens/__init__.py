"""The pages: which panels stand where."""

from collections.abc import Callable

from tui.screens.alarms import Alarms
from tui.screens.algos import Algos
from tui.screens.dashboard import Dashboard
from tui.screens.help import Help
from tui.screens.kill import Kill
from tui.screens.orders import Orders
from tui.screens.page import Page as Page
from tui.screens.positions import Positions
from tui.screens.switches import Switches

PAGES: dict[str, Callable[[], Page]] = {
    "1": Dashboard,
    "2": Positions,
    "3": Orders,
    "4": Switches,
    "5": Algos,
    "7": Alarms,
    "0": Kill,
    "?": Help,
}
