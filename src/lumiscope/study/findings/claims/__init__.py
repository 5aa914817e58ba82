"""The findings: one question a function, found by `@finding`."""
