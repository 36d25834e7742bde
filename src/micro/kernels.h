#pragma once

/// All kernels, for generated code. Header-only, freestanding C++14: no heap, exceptions, RTTI or library beyond memcpy, memmove and
/// memset. A kernel instantiated in several places is one function in the program (noinline), and one that is not called takes no room.
#include "micro/add.h"
#include "micro/block.h"
#include "micro/conv.h"
#include "micro/depthwise.h"
#include "micro/general.h"
#include "micro/matrix.h"
#include "micro/mul.h"
#include "micro/pool.h"
#include "micro/table.h"
#include "micro/window.h"
