"""Operations that can't be loaded."""

import a_package_that_nobody_has  # noqa: F401 -- it isn't there, which is the point
