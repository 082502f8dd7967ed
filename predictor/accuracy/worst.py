"""The rows that predictions are furthest off, beside how much of the mean error such rows make."""
from .product import Tested
from .study import Study

_SHOWN = 4  # of a case


def rows(study: Study) -> list[Tested]:
    return sorted(study.most.tested, key=lambda t: -abs(t.error))[:_SHOWN]


def share_of_worst(study: Study) -> float:
    """Of the sum of errors, that of the worst hundredth of the rows."""
    errors = sorted((abs(t.error) for t in study.most.tested), reverse=True)
    return sum(errors[:max(1, len(errors) // 100)]) / sum(errors)
