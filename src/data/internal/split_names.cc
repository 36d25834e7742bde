#include "data/internal/split_names.h"

#include <algorithm>
#include <vector>

#include "data/internal/text.h"

namespace hedge::data::internal {
namespace {

struct Word {
  std::string_view text;
  SplitKind kind;
};
constexpr Word kWords[] = {
    {"train", SplitKind::kTrain},    {"training", SplitKind::kTrain}, {"trn", SplitKind::kTrain}, {"test", SplitKind::kTest},
    {"testing", SplitKind::kTest},   {"tst", SplitKind::kTest},       {"eval", SplitKind::kTest}, {"evaluation", SplitKind::kTest},
    {"holdout", SplitKind::kTest},   {"heldout", SplitKind::kTest},   {"val", SplitKind::kVal},   {"valid", SplitKind::kVal},
    {"validation", SplitKind::kVal}, {"validate", SplitKind::kVal},   {"dev", SplitKind::kVal},   {"devel", SplitKind::kVal}};
constexpr std::string_view kFillers[] = {"set",   "sets",   "data",   "dataset", "datasets", "image",    "images", "img",   "imgs", "seg",
                                         "split", "splits", "folder", "dir",     "samples",  "pictures", "photos", "files", "jpg",  "png"};

bool filler(std::string_view word) { return std::find(std::begin(kFillers), std::end(kFillers), word) != std::end(kFillers); }

/// "seg_Train-2017" -> seg, train, 2017.
std::vector<std::string> words_of(std::string_view name) {
  std::vector<std::string> words(1);
  for (const char c : lower_case(name)) {
    const bool part = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || static_cast<unsigned char>(c) >= 0x80;
    if (part)
      words.back() += c;
    else if (!words.back().empty())
      words.emplace_back();
  }
  if (words.back().empty()) words.pop_back();
  return words;
}

/// "2017" of "train2017" is no part of the word.
std::string_view without_year(std::string_view word) {
  constexpr std::size_t kDigits = 4;
  if (word.size() <= kDigits || !as_number(word.substr(word.size() - kDigits))) return word;
  const auto year = word.substr(word.size() - kDigits, 2);
  return year == "19" || year == "20" ? word.substr(0, word.size() - kDigits) : word;
}

/// The split that one word names, alone or run together with a filler ("trainset", "imgtrain").
std::optional<SplitKind> kind_of(std::string_view word) {
  word = without_year(word);
  for (const auto& [text, kind] : kWords) {
    if (word == text) return kind;
    if (word.starts_with(text) && filler(word.substr(text.size()))) return kind;
    if (word.ends_with(text) && filler(word.substr(0, word.size() - text.size()))) return kind;
  }
  return std::nullopt;
}

}  // namespace

std::optional<SplitName> split_name(std::string_view name) {
  std::optional<SplitName> found;
  std::string rest;
  for (const auto& word : words_of(name)) {
    if (const auto kind = kind_of(word)) {
      if (found) return std::nullopt;
      found = SplitName{.kind = *kind, .rest = {}};
    } else if (!filler(word)) {
      rest += (rest.empty() ? "" : "_") + word;
    }
  }
  if (found) found->rest = std::move(rest);
  return found;
}

bool is_filler(std::string_view name) {
  const auto words = words_of(name);
  return !words.empty() && std::all_of(words.begin(), words.end(), [](const std::string& word) { return filler(word); });
}

}  // namespace hedge::data::internal
