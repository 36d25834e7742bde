#pragma once

#include <string_view>

namespace hedge::cli::assets {

/// docs/renamed.tsv (cmake/HedgeEmbed.cmake).
std::string_view renamed();

}  // namespace hedge::cli::assets
