#include "workflow/handshake.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <utility>

#include "data/spec.h"
#include "hedge/dataset.h"

namespace hedge::workflow {
namespace {

constexpr std::size_t kCandidates = 64;

/// An image that may be chosen: what each global says of it, and how sure the least sure one is.
struct Candidate {
  data::Image image;
  std::vector<std::vector<float>> logits;  ///< of each global
  std::size_t label = 0;                   ///< the first global's
  double margin = 0;                       ///< between the two largest logits, in units of their spread; the least of all globals
};

double margin_of(const std::vector<float>& logits) {
  const auto [least, most] = std::minmax_element(logits.begin(), logits.end());
  if (!(*most > *least)) return 0;
  float second = *least;
  for (auto each = logits.begin(); each != logits.end(); ++each)
    if (each != most) second = std::max(second, *each);
  return static_cast<double>(*most - second) / static_cast<double>(*most - *least);
}

Result<std::vector<float>> logits_of(const HandshakeGlobal& global, const data::Image& fitted) {
  const NamedView input{.name = global.executor->inputs().front().name,
                        .view = {.dtype = DType::kU8,
                                 .shape = {1, fitted.height, fitted.width, fitted.channels},
                                 .bytes = reinterpret_cast<const std::byte*>(fitted.pixels.data())}};
  HEDGE_TRY(const auto outputs, global.executor->run(std::span(&input, 1)));
  HEDGE_TRY(const auto index, find_spec(global.executor->outputs(), "logits"));
  const auto row = outputs[index].data<float>();
  return edge::pick({row.begin(), row.end()}, global.columns);
}

Result<std::vector<Candidate>> candidates_of(const data::Dataset& dataset, const data::Preprocess& recipe,
                                             const std::vector<HandshakeGlobal>& globals) {
  std::vector<Candidate> candidates;
  for (std::size_t i = 0; i < dataset.size(); ++i) {
    const auto image = dataset.image(i);
    if (!image) continue;  // left out, as when it was judged
    Candidate candidate{.margin = 1};
    HEDGE_TRY(candidate.image, data::fit_image(*image, recipe));
    for (const auto& global : globals) {
      HEDGE_TRY(auto logits, logits_of(global, candidate.image));
      candidate.margin = std::min(candidate.margin, margin_of(logits));
      candidate.logits.push_back(std::move(logits));
    }
    const auto& first = candidate.logits.front();
    candidate.label = static_cast<std::size_t>(std::max_element(first.begin(), first.end()) - first.begin());
    candidates.push_back(std::move(candidate));
  }
  return candidates;
}

/// One of each class in turn, the surest first, without the third that is least sure.
std::vector<Candidate> choose(std::vector<Candidate> candidates) {
  std::stable_sort(candidates.begin(), candidates.end(), [](const auto& a, const auto& b) { return a.margin > b.margin; });
  if (candidates.size() > edge::Handshake::kImages) {
    const auto sure = std::max(edge::Handshake::kImages, candidates.size() * 2 / 3);
    candidates.resize(sure);
  }
  std::map<std::size_t, std::vector<Candidate>> of_class;
  for (auto& candidate : candidates)
    if (candidate.margin > 0) of_class[candidate.label].push_back(std::move(candidate));
  std::vector<Candidate> chosen;
  for (std::size_t round = 0; chosen.size() < edge::Handshake::kImages && !of_class.empty(); ++round)
    for (auto each = of_class.begin(); each != of_class.end() && chosen.size() < edge::Handshake::kImages;) {
      chosen.push_back(std::move(each->second[round]));
      each = round + 1 >= each->second.size() ? of_class.erase(each) : std::next(each);
    }
  return chosen;
}

}  // namespace

Result<MadeHandshake> make_handshake(const std::string& text, const data::Preprocess& recipe, const std::vector<HandshakeGlobal>& globals) {
  if (recipe.height * recipe.width * static_cast<std::int64_t>(edge::Handshake::kImages) > edge::Handshake::kMostPixels)
    return MadeHandshake{.why_not = "the global's images are too large to keep some of them"};
  HEDGE_TRY(auto spec, data::parse_spec(text));
  spec.limit = std::min(spec.limit.value_or(kCandidates), kCandidates);
  HEDGE_TRY(const auto opened, data::open_dataset(data::to_string(spec), {}));
  HEDGE_TRY(auto candidates, candidates_of(*opened.dataset, recipe, globals));
  auto chosen = choose(std::move(candidates));
  std::set<std::size_t> classes;
  for (const auto& each : chosen) classes.insert(each.label);
  if (chosen.size() < edge::Handshake::kFewest)
    return MadeHandshake{.why_not = "the global is sure of only " + std::to_string(chosen.size()) + " images of " + text};
  if (classes.size() < 2) return MadeHandshake{.why_not = "the global gives all images of " + text + " one class"};
  edge::Handshake handshake{.dataset = text};
  for (const auto& global : globals) handshake.globals.push_back({.sha256 = global.sha256});
  for (auto& each : chosen) {
    handshake.images.push_back(std::move(each.image));
    for (std::size_t g = 0; g < globals.size(); ++g) handshake.globals[g].logits.push_back(std::move(each.logits[g]));
  }
  HEDGE_CHECK(handshake.validate());
  return MadeHandshake{.handshake = std::move(handshake)};
}

}  // namespace hedge::workflow
