#include "data/junk.h"

#include <algorithm>
#include <string>

#include "data/internal/text.h"

namespace hedge::data {
namespace {

constexpr std::string_view kNames[] = {"__macosx",
                                       "@eadir",
                                       "@recycle",
                                       "@recently-snapshot",
                                       "@synoresource",
                                       "#recycle",
                                       "#snapshot",
                                       "lost+found",
                                       "__pycache__",
                                       "$recycle.bin",
                                       "recycler",
                                       "recycled",
                                       "found.000",
                                       "thumbs.db",
                                       "ehthumbs.db",
                                       "ehthumbs_vista.db",
                                       "desktop.ini",
                                       "icon\r",
                                       "temporary items",
                                       "synofile_thumb",
                                       "network trash folder",
                                       "system volume information",
                                       "rubbish"};

}  // namespace

bool is_junk(std::string_view name) {
  if (name.starts_with('.') || name.starts_with("~$")) return true;
  const auto lower = internal::lower_case(name);
  if (lower.ends_with("zone.identifier")) return true;  // also where the colon before it was lost
  return std::find(std::begin(kNames), std::end(kNames), lower) != std::end(kNames);
}

}  // namespace hedge::data
