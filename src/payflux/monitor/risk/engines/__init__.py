"""The numbers from engines other than the kernel's own NumPy, for data that is larger or lies elsewhere."""
