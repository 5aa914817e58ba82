"""The stages of a study, each found by its file; what several of them share lies beside them."""
