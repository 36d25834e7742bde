#pragma once

#include <cstddef>

#include "hedge/dataset.h"
#include "hedge/result.h"

namespace hedge::data {

/// How many images of `a` are also in `b`: the same size and, pixel for pixel, the same content once decoded, whatever
/// their files and labels. Splits are disjoint by position, but a data set may hold an image twice; reports say so.
/// An image that cannot be decoded is like no other. Decodes both data sets.
std::size_t shared_images(const Dataset& a, const Dataset& b);

}  // namespace hedge::data
