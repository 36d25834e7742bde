#include "data/internal/text.h"

#include <algorithm>

namespace hedge::data::internal {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string_view digits_at(std::string_view text, std::size_t at) {
  auto end = at;
  while (end < text.size() && is_digit(text[end])) ++end;
  return text.substr(at, end - at);
}

std::string_view without_zeros(std::string_view digits) {
  while (digits.size() > 1 && digits.front() == '0') digits.remove_prefix(1);
  return digits;
}

constexpr std::string_view kOtherFiles[] = {
    ".txt", ".md",   ".rst", ".json", ".jsonl", ".xml",  ".csv",  ".tsv",  ".yaml",   ".yml", ".toml",   ".ini",   ".cfg",
    ".log", ".html", ".htm", ".pdf",  ".doc",   ".docx", ".xls",  ".xlsx", ".ods",    ".odt", ".py",     ".pyc",   ".ipynb",
    ".sh",  ".m",    ".r",   ".mat",  ".npy",   ".npz",  ".pkl",  ".pt",   ".pth",    ".h5",  ".hdf5",   ".zip",   ".tar",
    ".gz",  ".tgz",  ".bz2", ".xz",   ".zst",   ".7z",   ".rar",  ".onnx", ".tflite", ".db",  ".sqlite", ".url",   ".lnk",
    ".mp3", ".wav",  ".mp4", ".avi",  ".mov",   ".mkv",  ".webm", ".bib",  ".tex",    ".lst", ".rec",    ".sha256"};

}  // namespace

std::string lower_case(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return lower;
}

std::optional<std::int64_t> as_number(std::string_view text) {
  constexpr std::size_t kMostDigits = 15;
  if (text.empty() || digits_at(text, 0).size() != text.size()) return std::nullopt;
  const auto digits = without_zeros(text);
  if (digits.size() > kMostDigits) return std::nullopt;
  std::int64_t value = 0;
  for (const char c : digits) value = value * 10 + (c - '0');
  return value;
}

bool natural_less(std::string_view a, std::string_view b) {
  std::size_t i = 0, j = 0;
  while (i < a.size() && j < b.size()) {
    if (is_digit(a[i]) && is_digit(b[j])) {
      const auto one = digits_at(a, i), other = digits_at(b, j);
      const auto x = without_zeros(one), y = without_zeros(other);
      if (x.size() != y.size()) return x.size() < y.size();
      if (x != y) return x < y;
      i += one.size();
      j += other.size();
    } else {
      if (a[i] != b[j]) return static_cast<unsigned char>(a[i]) < static_cast<unsigned char>(b[j]);
      ++i;
      ++j;
    }
  }
  if (a.size() - i != b.size() - j) return a.size() - i < b.size() - j;
  return a < b;
}

bool may_be_image(std::string_view name) {
  const auto lower = lower_case(name);
  return std::none_of(std::begin(kOtherFiles), std::end(kOtherFiles), [&](std::string_view ending) { return lower.ends_with(ending); });
}

}  // namespace hedge::data::internal
