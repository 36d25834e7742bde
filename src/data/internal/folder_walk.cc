#include "data/internal/folder_walk.h"

#include <sys/stat.h>

#include <algorithm>

#include "data/junk.h"

namespace hedge::data::internal {
namespace {

namespace fs = std::filesystem;

}  // namespace

std::string join(const std::string& folder, const std::string& name) { return folder.empty() ? name : folder + "/" + name; }

FolderWalk::FolderWalk(fs::path root) : root_(std::move(root)) {
  std::error_code problem;
  // A link to a folder that holds the root would bring in all that lies beside it.
  for (auto above = fs::canonical(root_, problem); !problem && !above.empty(); above = above.parent_path()) {
    struct stat info {};
    if (::stat(above.c_str(), &info) == 0) seen_.emplace(info.st_dev, info.st_ino);
    if (above == above.root_path()) break;
  }
}

Result<FolderWalk::Listing> FolderWalk::list(const std::string& folder) {
  Listing listing;
  std::error_code problem;
  fs::directory_iterator it(root_ / folder, problem);
  for (; !problem && it != fs::directory_iterator(); it.increment(problem)) {
    const auto name = it->path().filename().string();
    std::error_code ignored;
    if (is_junk(name)) {
      junk_.add(join(folder, name));
    } else if (!it->is_directory(ignored)) {
      listing.files.push_back(name);
    } else {
      (it->is_symlink(ignored) ? listing.links : listing.folders).push_back(name);
    }
  }
  if (problem)
    return Error{
        .code = ErrorCode::kIo, .what = "the folder cannot be listed", .where = (root_ / folder).string(), .got = problem.message()};
  for (auto* names : {&listing.folders, &listing.links, &listing.files}) std::sort(names->begin(), names->end());
  return listing;
}

Result<std::vector<std::string>> FolderWalk::subfolders(const std::string& folder) {
  HEDGE_TRY(auto listing, list(folder));
  auto names = std::move(listing.folders);
  names.insert(names.end(), listing.links.begin(), listing.links.end());
  std::sort(names.begin(), names.end());
  return names;
}

Result<std::vector<std::string>> FolderWalk::files(const std::string& folder) {
  HEDGE_TRY(auto listing, list(folder));
  return std::move(listing.files);
}

bool FolderWalk::enter(const std::string& folder) {
  struct stat info {};
  return ::stat((root_ / folder).c_str(), &info) == 0 && seen_.emplace(info.st_dev, info.st_ino).second;
}

Status FolderWalk::descend(const Link& start, std::vector<WalkedFile>& files) {
  std::vector<std::string> waiting = {start.path};
  while (!waiting.empty()) {
    const auto folder = std::move(waiting.back());
    waiting.pop_back();
    if (!enter(folder)) {
      twice_.add(folder);
      continue;
    }
    HEDGE_TRY(const auto listing, list(folder));
    for (const auto& name : listing.files) files.push_back({.path = join(folder, name), .part = start.part});
    for (const auto& name : listing.links) links_.insert({.path = join(folder, name), .part = start.part});
    for (const auto& name : listing.folders) waiting.push_back(join(folder, name));
  }
  return {};
}

Result<std::vector<WalkedFile>> FolderWalk::walk(const std::vector<std::string>& folders) {
  std::vector<WalkedFile> files;
  for (std::size_t part = 0; part < folders.size(); ++part) {
    std::error_code ignored;
    const Link start{.path = folders[part], .part = part};
    if (fs::is_symlink(root_ / folders[part], ignored))
      links_.insert(start);
    else
      HEDGE_CHECK(descend(start, files));
  }
  while (!links_.empty()) {
    const auto link = *links_.begin();
    links_.erase(links_.begin());
    HEDGE_CHECK(descend(link, files));
  }
  std::sort(files.begin(), files.end(), [](const WalkedFile& a, const WalkedFile& b) { return a.path < b.path; });
  return files;
}

std::vector<Note> FolderWalk::notes() const {
  std::vector<Note> all;
  if (!junk_.empty()) all.push_back({.text = "left out what is hidden or of the operating system: " + junk_.few()});
  if (!twice_.empty())
    all.push_back({.level = LogLevel::kWarning,
                   .text = "left out " + counted(twice_.size(), "folder") +
                           ", links to folders that are read already or that hold this one: " + twice_.few()});
  return all;
}

}  // namespace hedge::data::internal
