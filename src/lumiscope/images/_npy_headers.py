"""Headers of NumPy's files, read by threads in turn."""

import threading

# NumPy parses a header with `ast`, and CPython 3.11 counts its recursion for all threads at once: one that parses while
# another does may get a SystemError (python/cpython#106905), and a good picture would be lost.
ONE_AT_A_TIME = threading.RLock()
