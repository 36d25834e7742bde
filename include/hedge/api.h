#pragma once

/// Marks what the shared libraries promise to their users; everything else is hidden in them.
#if defined(__GNUC__)
#define HEDGE_API __attribute__((visibility("default")))
#else
#define HEDGE_API
#endif
