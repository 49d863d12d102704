"""The 42 columns of the record of processing, as the UK's ICO asks for them (GDPR Art. 30(1)).

Numbers, fields and which are required: the template of the ICO, as Fides has it in its seed migrations of 2026-04-17
(42 fields, 20 of them required). The templates of Ireland's DPC and France's CNIL ask for subsets of these.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Column:
    """One column."""

    number: str
    label: str
    required: bool = False

    @property
    def heading(self) -> str:
        """What stands above it in a file."""
        return f"{self.number} {self.label}"


COLUMNS: Final = (
    Column("1.1", "Controller: name", required=True),
    Column("1.2", "Controller: contact details", required=True),
    Column("1.3", "Joint controllers, and who answers for what", required=True),
    Column("1.4", "Data protection officer", required=True),
    Column("1.5", "Representative in the EU or the UK", required=True),
    Column("1.6", "Controller or processor"),
    Column("1.7", "Responsible department"),
    Column("1.8", "Data stewards"),
    Column("2.1", "Purpose of the processing", required=True),
    Column("2.2", "Description of the activity"),
    Column("3.1", "Categories of individuals", required=True),
    Column("3.2", "Categories of personal data", required=True),
    Column("3.3", "Special category or criminal offence data"),
    Column("3.4", "Source of the data"),
    Column("4.1", "Categories of recipients", required=True),
    Column("4.2", "Third parties that get the data", required=True),
    Column("5.1", "Third countries", required=True),
    Column("5.2", "Safeguards of the transfer", required=True),
    Column("6.1", "Retention", required=True),
    Column("6.2", "Retention policy"),
    Column("6.3", "Whether retention is kept to"),
    Column("6.4", "Reasons for keeping longer"),
    Column("7.1", "Technical and organisational security measures", required=True),
    Column("7.2", "Location of the data"),
    Column("8.1", "Article 6 lawful basis"),
    Column("8.2", "Legitimate interests", required=True),
    Column("8.3", "Legitimate interests assessment", required=True),
    Column("8.4", "Article 9 condition"),
    Column("8.5", "Data Protection Act 2018 Schedule 1 condition", required=True),
    Column("9.1", "Automated decisions or profiling"),
    Column("9.2", "What is decided or profiled"),
    Column("9.3", "Basis of automated decisions"),
    Column("10.1", "Whether an impact assessment is required"),
    Column("10.2", "Impact assessment"),
    Column("11.1", "Rights of individuals"),
    Column("11.2", "Privacy policy"),
    Column("11.3", "Privacy notice of the purpose"),
    Column("12.1", "Record of consent", required=True),
    Column("13.1", "Breach process", required=True),
    Column("13.2", "Breach register", required=True),
    Column("14.1", "Processor contracts (Article 28)"),
    Column("15.1", "Last review, and by whom"),
)

PROCESSOR_COLUMNS: Final = (
    Column("P.1", "Processor: name and contact details", required=True),
    Column("P.2", "Data protection officer and representative", required=True),
    Column("P.3", "Controller on whose behalf, and contact details", required=True),
    Column("P.4", "System"),
    Column("P.5", "Categories of processing", required=True),
    Column("P.6", "Third countries and safeguards", required=True),
    Column("P.7", "Technical and organisational security measures", required=True),
)
"""What who works on another's behalf records (GDPR Art. 30(2)), for each controller and system."""
