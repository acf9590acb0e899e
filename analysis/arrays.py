"""The one array type of the package, and the legend of the suffixes in names.

R replicates (bootstrap draws or starting points), N networks or sizes, K parameters of a law, V variables of an
additive law. `log_` is always the natural logarithm; a loss is always in nats per token.
"""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
Indices = NDArray[np.int64]
