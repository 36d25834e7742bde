#include "search/space.h"

#include <algorithm>
#include <charconv>
#include <string>
#include <string_view>

namespace hedge::search {
namespace {

constexpr const char* kAsData = "data";
constexpr int kBlocksAStage = 4;          // of a Once-for-All network, at most
constexpr std::size_t kMostValues = 255;  // a gene is a byte

struct Family {
  const char* name;
  std::string pattern;  ///< {gene} stands for its value
  std::vector<Gene> genes;
};

/// A Once-for-All network: kernel and expansion of each of 20 blocks, depth of each of 5 stages.
Family once_for_all() {
  Family family{.name = "ofa-mbv3", .pattern = "ofa-mbv3:width={width},kernel=", .genes = {{"width", {"1.0"}}}};
  const auto add = [&](const std::string& name, int count, const std::vector<std::string>& values) {
    for (int i = 1; i <= count; ++i) {
      family.genes.push_back({name + std::to_string(i), values});
      family.pattern += "{" + family.genes.back().name + "}";
    }
  };
  add("kernel", 20, {"3", "5", "7"});
  family.pattern += ",expand=";
  add("expand", 20, {"3", "4", "6"});
  family.pattern += ",depth=";
  add("depth", 5, {"2", "3", "4"});
  family.pattern += ",halvings={halvings}";
  family.genes.push_back({"halvings", {"5", "4", "3", "2"}});
  return family;
}

std::vector<Family> families() {
  const std::vector<std::string> scales = {"0.1", "0.15", "0.2", "0.25", "0.35", "0.5", "0.65", "0.75", "0.9", "1.0"};
  return {{"mobile",
           "mobile:{width},expand={expand},depth={depth},stem={stem},head={head}",
           {{"width", {"3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "14", "16", "18", "20", "24"}},
            {"expand", {"2", "3", "4", "5", "6"}},
            {"depth", {"1", "2", "3", "4"}},
            {"stem", {"4", "6", "8", "12", "16", "24"}},
            {"head", {"32", "48", "64", "96", "128", "192"}}}},
          {"pooled",
           "pooled:{first},{second},{third},stem={stem}",
           {{"first", {"8", "12", "16", "24", "32", "48", "64"}},
            {"second", {"16", "24", "36", "48", "72", "96", "128", "192"}},
            {"third", {"16", "24", "32", "48", "64", "96", "128", "192", "256"}},
            {"stem", {"4", "6", "8", "12", "16", "24"}}}},
          {"resnet",
           "resnet:{width},{depth},stem_stride={stride}",
           {{"width", {"4", "6", "8", "12", "16", "24", "32", "48", "64"}}, {"depth", {"1", "2", "3"}}, {"stride", {"2", "1"}}}},
          {"mobilenetv2", "mobilenetv2:{scale},halvings={halvings}", {{"scale", scales}, {"halvings", {"5", "4", "3", "2"}}}},
          {"mobilenetv3-small", "mobilenetv3-small:{scale},halvings={halvings}", {{"scale", scales}, {"halvings", {"5", "4", "3", "2"}}}},
          {"mobilenetv3-large", "mobilenetv3-large:{scale},halvings={halvings}", {{"scale", scales}, {"halvings", {"5", "4", "3", "2"}}}},
          once_for_all()};
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  for (std::size_t at = 0;;) {
    const auto end = text.find(separator, at);
    parts.emplace_back(text.substr(at, end - at));
    if (end == std::string_view::npos) return parts;
    at = end + 1;
  }
}

std::string joined(const std::vector<std::string>& words, const char* between) {
  std::string text;
  for (const auto& word : words) text += (text.empty() ? "" : between) + word;
  return text;
}

Error wrong(const std::string& text, std::string what, std::string expected) {
  return {.code = ErrorCode::kInvalidArgument,
          .what = std::move(what),
          .where = "search space \"" + text + "\"",
          .expected = std::move(expected),
          .hint = "for example mobile:width=4|6|8,size=24|28"};
}

/// 0 where it is none.
int integer(const std::string& text) {
  int value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

bool is_size(const std::string& value) {
  int side = 0;
  const auto [end, code] = std::from_chars(value.data(), value.data() + value.size(), side);
  return value == kAsData || (code == std::errc{} && end == value.data() + value.size() && side >= 8 && side <= 1024);
}

}  // namespace

std::string Candidate::to_string() const { return size == 0 ? net : net + "@" + std::to_string(size); }

Result<Space> Space::parse(const std::string& text) {
  const auto colon = text.find(':');
  const std::string name = text.substr(0, colon);
  const auto all = families();
  const auto found = std::find_if(all.begin(), all.end(), [&](const Family& family) { return family.name == name; });
  if (found == all.end()) {
    std::vector<std::string> names;
    for (const auto& family : all) names.emplace_back(family.name);
    return wrong(text, "no such family", joined(names, ", "));
  }
  Space space;
  space.family_ = name;
  space.pattern_ = found->pattern;
  space.genes_ = found->genes;
  space.genes_.push_back({"size", {kAsData}});
  if (colon == std::string::npos) return space;
  for (const auto& part : split(std::string_view(text).substr(colon + 1), ',')) {
    const auto equal = part.find('=');
    const auto gene =
        std::find_if(space.genes_.begin(), space.genes_.end(), [&](const Gene& g) { return g.name == part.substr(0, equal); });
    if (equal == std::string::npos || gene == space.genes_.end()) {
      std::vector<std::string> names;
      for (const auto& one : space.genes_) names.push_back(one.name);
      return wrong(text, "no such gene: \"" + part + "\"", joined(names, ", ") + ", each with =VALUE or =VALUE|VALUE");
    }
    gene->values = split(std::string_view(part).substr(equal + 1), '|');
    const bool bad = gene->values.size() > kMostValues || std::any_of(gene->values.begin(), gene->values.end(), [&](const auto& value) {
                       return value.empty() || (gene->name == "size" && !is_size(value));
                     });
    if (bad) return wrong(text, "the values of \"" + gene->name + "\"", gene->name == "size" ? "8 to 1024, or data" : "1 to 255 values");
  }
  return space;
}

double Space::count() const {
  double count = 1;
  for (const auto& gene : genes_) count *= static_cast<double>(gene.values.size());
  return count;
}

bool Space::unused(const Genotype& genotype, std::size_t gene) const {
  if (family_ != "ofa-mbv3") return false;
  const std::string& name = genes_[gene].name;
  for (const std::string_view kind : {"kernel", "expand"}) {
    if (!name.starts_with(kind)) continue;
    const int block = integer(name.substr(kind.size())) - 1;
    const std::string depth = "depth" + std::to_string(block / kBlocksAStage + 1);
    const auto found = std::find_if(genes_.begin(), genes_.end(), [&](const Gene& g) { return g.name == depth; });
    return block % kBlocksAStage >= integer(found->values[genotype[static_cast<std::size_t>(found - genes_.begin())]]);
  }
  return false;
}

Genotype Space::canonical(Genotype genotype) const {
  for (std::size_t i = 0; i < genotype.size(); ++i)
    if (unused(genotype, i)) genotype[i] = 0;
  return genotype;
}

std::vector<double> Space::describe(const Genotype& genotype) const {
  std::vector<double> numbers;
  for (std::size_t i = 0; i < genotype.size(); ++i) {
    const auto count = genes_[i].values.size();
    if (count < 2) continue;
    const bool absent = unused(genotype, i);
    numbers.push_back(absent ? 0 : static_cast<double>(genotype[i]) / static_cast<double>(count - 1));
    if (family_ == "ofa-mbv3" && genes_[i].name.starts_with("kernel")) numbers.push_back(absent ? 0 : 1);
  }
  return numbers;
}

Candidate Space::candidate(const Genotype& genotype) const {
  Candidate candidate{.net = pattern_};
  for (std::size_t i = 0; i < genes_.size(); ++i) {
    const auto& value = genes_[i].values[genotype[i]];
    if (genes_[i].name == "size") {
      if (value != kAsData) std::from_chars(value.data(), value.data() + value.size(), candidate.size);
      continue;
    }
    const std::string mark = "{" + genes_[i].name + "}";
    candidate.net.replace(candidate.net.find(mark), mark.size(), value);
  }
  return candidate;
}

Genotype Space::random(Rng& rng) const {
  Genotype genotype;
  for (const auto& gene : genes_) genotype.push_back(static_cast<std::uint8_t>(rng.below(gene.values.size())));
  return canonical(std::move(genotype));
}

Genotype Space::mutate(Genotype genotype, double rate, Rng& rng) const {
  std::vector<std::size_t> free;
  for (std::size_t i = 0; i < genes_.size(); ++i)
    if (genes_[i].values.size() > 1) free.push_back(i);
  if (free.empty()) return genotype;
  const auto forced = free[rng.below(free.size())];
  for (const auto i : free) {
    if (i != forced && rng.uniform() >= rate) continue;
    const auto others = genes_[i].values.size() - 1;  // another value than now
    const auto drawn = rng.below(others);
    genotype[i] = static_cast<std::uint8_t>(drawn < genotype[i] ? drawn : drawn + 1);
  }
  return canonical(std::move(genotype));
}

Genotype Space::cross(const Genotype& a, const Genotype& b, Rng& rng) const {
  Genotype child = a;
  for (std::size_t i = 0; i < child.size(); ++i)
    if (rng.below(2) == 1) child[i] = b[i];
  return canonical(std::move(child));
}

}  // namespace hedge::search
