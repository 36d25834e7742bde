#pragma once

#include <string>
#include <vector>

#include "hedge/dataset.h"

namespace hedge::data {

/// One line a reason, with how many files it met and the first three of them, and the way out where there is one:
/// "skipped 12: HEIC files are not decoded (a/1.heic, a/2.heic, a/3.heic, …); convert them, …". The most frequent reason first.
std::vector<std::string> skipped_lines(const std::vector<Skipped>& skipped);

/// The names of the classes that have images in the data set, all of which are among `skipped` by their ids.
std::vector<std::string> unreadable_classes(const Dataset& dataset, const std::vector<Skipped>& skipped);

/// "a, b, c" or, of more than three, "a, b, c, …".
std::string some_of(const std::vector<std::string>& names);

}  // namespace hedge::data
