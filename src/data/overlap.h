#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "hedge/dataset.h"
#include "hedge/result.h"

namespace hedge::data {

/// How many images of `a` are also in `b`: the same size and, pixel for pixel, the same content once decoded, whatever
/// their files and labels. Splits are disjoint by position, but a data set may hold an image twice; reports say so.
/// An image that cannot be decoded is like no other. Decodes both data sets.
std::size_t shared_images(const Dataset& a, const Dataset& b);

/// The stored bytes' hashes (Dataset::stored_hash) of all images of a specification, opened as it is. At most `most_files` files are read.
/// Errors: those of open_dataset; kUnsupported: more files, or a data set without such hashes.
Result<std::vector<std::uint64_t>> stored_hashes(const std::string& spec, std::size_t most_files);

}  // namespace hedge::data
