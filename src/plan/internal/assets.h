#pragma once

#include <string_view>

/// The files of this folder, embedded at build time (cmake/HedgeEmbed.cmake).
namespace hedge::plan::assets {

std::string_view profiles();  ///< profiles.json
std::string_view paper();     ///< paper.json

}  // namespace hedge::plan::assets
