# placeholder until the real one is written: overwrite me
import math
from .jit import kernel
cos = kernel(lambda x: math.cos(x)); log = kernel(lambda x: math.log(x)); tan = kernel(lambda x: math.tan(x))
TWINS = {}
exp = kernel(lambda x: math.exp(x)); tanh = kernel(lambda x: math.tanh(x))
