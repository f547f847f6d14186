"""How amounts are written. They are stored as whole minor units with one currency per organization."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

SYMBOLS: Final = {"NGN": "₦", "GHS": "GH₵", "KES": "KSh", "ZAR": "R", "USD": "$", "EUR": "€", "GBP": "£"}
# ISO 4217: every other currency has two digits after the point.
DIGITS: Final = {"XOF": 0, "XAF": 0, "UGX": 0, "RWF": 0, "JPY": 0, "TND": 3, "KWD": 3, "BHD": 3, "OMR": 3, "JOD": 3}
NO_BREAK_SPACE: Final = "\N{NO-BREAK SPACE}"


def written_amount(minor_units: int, currency: str) -> str:
    """ "₦1,250.00"; a currency without a common sign is named by its code."""
    digits = DIGITS.get(currency, 2)
    amount = f"{abs(Decimal(minor_units)).scaleb(-digits):,.{digits}f}"
    sign = "−" if minor_units < 0 else ""
    symbol = SYMBOLS.get(currency) or f"{currency}{NO_BREAK_SPACE}"
    return f"{sign}{symbol}{amount}"
