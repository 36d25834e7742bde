#pragma once

#include <cstddef>

#include "core/result.h"
#include "data/dataset.h"

namespace hedge::data {

/// How many pictures of `a` are also in `b`: the same size and, pixel for pixel, the same content once decoded, whatever
/// their files and labels. Splits are disjoint by position, but a data set may hold a picture twice; reports say so.
/// A picture that cannot be decoded is like no other. Decodes both data sets.
std::size_t shared_pictures(const Dataset& a, const Dataset& b);

}  // namespace hedge::data
