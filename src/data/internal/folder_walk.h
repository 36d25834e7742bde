#pragma once

#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "data/internal/tally.h"
#include "hedge/result.h"

namespace hedge::data::internal {

/// A file below a folder that was walked through.
struct WalkedFile {
  std::string path;      ///< below the root, with '/'; through a link it has the link's name
  std::size_t part = 0;  ///< which of the given folders it was found in
};

/// Lists what lies below a root, without junk (data::is_junk). Links to folders are followed, but no folder is read twice: the folders
/// themselves go first, then the links in the order of their paths, and a link that leads to a folder that was read or that holds the
/// root is left out. What was left out is said by `notes`.
class FolderWalk {
 public:
  explicit FolderWalk(std::filesystem::path root);

  /// The names of the folders directly below root/folder, sorted. Errors: kIo.
  Result<std::vector<std::string>> subfolders(const std::string& folder);
  /// The names of the files directly below root/folder, sorted. Errors: kIo.
  Result<std::vector<std::string>> files(const std::string& folder);
  /// All files at any depth below the given folders (paths below the root), sorted by path. Errors: kIo.
  Result<std::vector<WalkedFile>> walk(const std::vector<std::string>& folders);

  /// One sentence for junk and one for links, where there was any.
  [[nodiscard]] std::vector<Note> notes() const;

 private:
  struct Listing {
    std::vector<std::string> folders, links, files;  ///< names; links: to folders
  };
  struct Link {
    std::string path;
    std::size_t part = 0;
    bool operator<(const Link& other) const { return path < other.path; }
  };
  Result<Listing> list(const std::string& folder);
  /// Whether the folder is a new one, which it then no longer is.
  bool enter(const std::string& folder);
  Status descend(const Link& start, std::vector<WalkedFile>& files);

  std::filesystem::path root_;
  std::set<std::pair<std::uint64_t, std::uint64_t>> seen_;  ///< device and inode
  std::set<Link> links_;                                    ///< still to be followed
  Tally junk_, twice_;
};

/// "a/b", or "b" where `folder` is empty.
std::string join(const std::string& folder, const std::string& name);

}  // namespace hedge::data::internal
