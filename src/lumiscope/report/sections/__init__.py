"""The sections of the report: a folder each, found when somebody first asks which there are."""
