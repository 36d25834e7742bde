#pragma once

#include <string_view>

namespace hedge::apps::assets {

/// docs/renamed.tsv (cmake/HedgeEmbed.cmake).
std::string_view renamed();

}  // namespace hedge::apps::assets
