#pragma once

#include <string_view>

namespace hedge::data {

/// Whether a file or folder of this name (without its path) was put there by an operating system, a network drive, an editor or Python, or
/// is hidden (begins with a dot): "__MACOSX", "@eaDir", "lost+found", "Thumbs.db", "._cat.jpg", "cat.jpg:Zone.Identifier". None of these is
/// an image of a data set, though some hold thumbnails of its images. Capitals do not matter.
bool is_junk(std::string_view name);

}  // namespace hedge::data
