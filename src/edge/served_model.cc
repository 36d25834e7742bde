#include "edge/served_model.h"

#include <algorithm>
#include <utility>

#include "model/class_map.h"

namespace hedge::edge {
namespace {

constexpr const char* kAcceptIt = "--accept-other-global takes it as it is; the report's figures do not hold then";

std::string short_hash(const std::string& sha256) { return sha256.substr(0, 12) + "…"; }

/// The judged global as one of its versions.
GlobalVersion judged_version(const GlobalInfo& info) {
  return {.sha256 = info.sha256, .preprocess = info.preprocess, .classes = info.classes, .outputs = info.outputs, .columns = info.columns};
}

std::optional<GlobalVersion> version_of(const GlobalInfo& info, const std::string& sha256) {
  if (sha256 == info.sha256) return judged_version(info);
  const auto found = std::find_if(info.also.begin(), info.also.end(), [&](const auto& version) { return version.sha256 == sha256; });
  return found == info.also.end() ? std::nullopt : std::optional(*found);
}

/// As many outputs as the columns need.
std::int64_t least_width(const std::vector<std::int64_t>& columns) {
  return columns.empty() ? 1 : 1 + *std::max_element(columns.begin(), columns.end());
}

Placement placed_as(const GlobalVersion& version, std::size_t labels, Shown shown) {
  Placement placement{.width = version.outputs, .columns = version.columns, .shown = shown, .sha256 = version.sha256};
  if (placement.width == 0 && placement.columns.empty()) placement.width = static_cast<std::int64_t>(labels);
  return placement;
}

Status check_width(const Placement& placement, std::int64_t width) {
  const auto least = least_width(placement.columns);
  if (width == 0 || (placement.width > 0 ? width == placement.width : width >= least)) return {};
  return Error{.code = ErrorCode::kMismatch,
               .what = "the cloud's model has another number of outputs than the bundle's",
               .got = std::to_string(width),
               .expected = std::to_string(placement.width > 0 ? placement.width : least),
               .hint = "serve the global that this bundle was made with"};
}

/// As a file has it: numbers may change when they are written.
bool same_recipe(const std::string& json, const data::Preprocess& expected) {
  const auto served = data::Preprocess::from_json(json);
  const auto judged = data::Preprocess::from_json(expected.to_json());
  return served && judged && *served == *judged;
}

Error other_model(const oip::RemoteCard& card, const GlobalInfo& info) {
  std::string expected = short_hash(info.sha256);
  for (const auto& version : info.also) expected += " or " + short_hash(version.sha256);
  return {.code = ErrorCode::kMismatch,
          .what = "the cloud serves another model than the one that was judged",
          .where = info.name,
          .got = short_hash(card.sha256),
          .expected = std::move(expected),
          .hint = std::string("serve the judged global; judge this one and add it (hedge bundle --also-global); or ") + kAcceptIt};
}

Error other_recipe(const oip::RemoteCard& card, const GlobalVersion& version, const std::string& name) {
  return {
      .code = ErrorCode::kMismatch,
      .what = "the cloud prepares images otherwise than the global was judged with",
      .where = name,
      .got = card.recipe.substr(0, 400),
      .expected = version.preprocess.to_json(),
      .hint = std::string("serve the model with the recipe of the bundle (hedge-cloud --recipe, or MODEL.hedge.json); or ") + kAcceptIt};
}

Error unknown_model(const GlobalInfo& info) {
  return {.code = ErrorCode::kMismatch,
          .what = "the cloud does not say which model it serves, and the bundle has no images to know it by",
          .where = info.name,
          .expected = short_hash(info.sha256),
          .hint = std::string("serve the global with hedge-cloud; bundle again with images (hedge bundle --data); or ") + kAcceptIt};
}

/// The labels as the judged global calls them: a data set may call the same classes otherwise.
std::vector<std::string> names_to_find(const JudgedGlobal& judged) {
  const auto& classes = judged.info.classes;
  const auto& columns = judged.info.columns;
  if (classes.empty()) return judged.labels;
  std::vector<std::string> names;
  for (std::size_t i = 0; i < judged.labels.size(); ++i) {
    const auto output = columns.empty() ? i : static_cast<std::size_t>(columns[i]);
    if (output >= classes.size()) return judged.labels;
    names.push_back(classes[output]);
  }
  return names;
}

/// By the server's names where it has other ones than the bundle knows, else as the bundle has it.
Result<Placement> place_by_names(const JudgedGlobal& judged, const oip::RemoteCard& card, std::int64_t width, Shown shown) {
  auto placement = placed_as(judged_version(judged.info), judged.labels.size(), shown);
  placement.sha256.clear();
  if (card.labels.empty() || judged.labels.empty() || card.labels == judged.info.classes) {
    HEDGE_CHECK(check_width(placement, width));
    return placement;
  }
  auto columns = model::columns_by_name(names_to_find(judged), {.names = card.labels, .outputs = width, .where = "the cloud's model"},
                                        "global", placement.notes);
  if (!columns) {
    Error error = std::move(columns).error();
    error.hint = "serve the global that this bundle was made with, or one with all of its classes by the same names";
    return error;
  }
  if (*columns != placement.columns)
    placement.notes.push_back("the cloud's model has its classes in another order than the bundle says: they are found by their names");
  placement.columns = std::move(columns).value();
  placement.width = width > 0 ? width : placement.columns.empty() ? static_cast<std::int64_t>(judged.labels.size()) : 0;
  return placement;
}

std::string accepted_note(const Error& refusal) {
  return refusal.what + (refusal.got.empty() ? "" : " (got " + refusal.got + ", expected " + refusal.expected + ")") +
         "; accepted as asked: the report's figures do not hold for these answers";
}

/// What would be refused, as the user wishes it.
Result<Placement> accept(const JudgedGlobal& judged, const oip::RemoteCard& card, std::int64_t width, const Error& refusal) {
  HEDGE_TRY(auto placement, place_by_names(judged, card, width, Shown::kAccepted));
  placement.notes.insert(placement.notes.begin(), accepted_note(refusal));
  return placement;
}

bool has_answers(const JudgedGlobal& judged, const std::string& sha256) {
  if (!judged.handshake) return false;
  const auto& globals = judged.handshake->globals;
  return std::any_of(globals.begin(), globals.end(), [&](const auto& global) { return global.sha256 == sha256; });
}

Result<Placement> place_known(const JudgedGlobal& judged, const oip::RemoteCard& card, std::int64_t width, bool accept_other) {
  const auto version = version_of(judged.info, card.sha256);
  if (!version) {
    const auto refusal = other_model(card, judged.info);
    return accept_other ? accept(judged, card, width, refusal) : refusal;
  }
  auto placement = placed_as(*version, judged.labels.size(), Shown::kIdentity);
  HEDGE_CHECK(check_width(placement, width));
  if (!card.recipe.empty() && !same_recipe(card.recipe, version->preprocess)) {
    const auto refusal = other_recipe(card, *version, judged.info.name);
    return accept_other ? accept(judged, card, width, refusal) : refusal;
  }
  // What metadata alone cannot show: the recipe of an older server, classes that were placed by position.
  placement.needs_handshake = has_answers(judged, version->sha256) && (judged.by != ClassesBy::kName || card.recipe.empty());
  return placement;
}

}  // namespace

JudgedGlobal judged_global(const Bundle& bundle) {
  JudgedGlobal judged{
      .info = bundle.manifest.global, .labels = bundle.labels, .by = bundle.manifest.classes_by, .handshake = bundle.handshake};
  if (judged.info.sha256.empty()) judged.info.sha256 = bundle.policy.global_sha256;
  return judged;
}

const char* to_string(Shown shown) {
  switch (shown) {
    case Shown::kIdentity: return "identity";
    case Shown::kHandshake: return "handshake";
    case Shown::kAccepted: return "accepted";
    case Shown::kUnknown: break;
  }
  return "unknown";
}

Result<Placement> place(const JudgedGlobal& judged, const oip::RemoteCard& card, std::int64_t width, bool accept_other) {
  const bool judged_known = !judged.info.sha256.empty();
  if (judged_known && !card.sha256.empty()) return place_known(judged, card, width, accept_other);
  if (judged_known && judged.handshake) {
    Placement placement{.width = width, .shown = Shown::kHandshake, .needs_handshake = true};
    if (card.labels.empty() || card.labels == judged.info.classes) return placement;
    return place_by_names(judged, card, width, Shown::kHandshake);
  }
  if (judged_known) {
    const auto refusal = unknown_model(judged.info);
    return accept_other ? accept(judged, card, width, refusal) : refusal;
  }
  HEDGE_TRY(auto placement, place_by_names(judged, card, width, Shown::kUnknown));
  placement.notes.push_back("it is not known which global was judged, so the cloud's model is not compared with it");
  return placement;
}

Result<Placement> place_by_handshake(const JudgedGlobal& judged, const Placement& asked, const std::vector<std::vector<float>>& answers) {
  // A global that was judged by its probabilities is asked for them.
  const auto& judged_rows = judged.handshake->globals.front().logits;
  const bool judged_by_logits = std::any_of(judged_rows.begin(), judged_rows.end(), [](const auto& row) {
    return std::any_of(row.begin(), row.end(), [](float value) { return value < 0 || value > 1; });
  });
  const bool probabilities = judged_by_logits && are_probabilities(answers);
  auto logits = answers;
  if (probabilities)
    for (auto& row : logits) row = logarithms(row);
  std::vector<Placement> candidates;
  std::vector<std::vector<std::vector<float>>> seen;
  for (const auto& global : judged.handshake->globals) {
    const auto version = version_of(judged.info, global.sha256);
    auto placement = version ? placed_as(*version, judged.labels.size(), asked.shown) : asked;
    placement.probabilities = probabilities;
    if (asked.sha256.empty() && !asked.columns.empty()) {  // the server's own names
      placement.columns = asked.columns;
      placement.width = asked.width;
    }
    const bool may_be = asked.sha256.empty() || asked.sha256 == global.sha256;
    const auto fits = [&](const auto& row) {
      const auto width = static_cast<std::int64_t>(row.size());
      return placement.width > 0 ? width == placement.width : width >= least_width(placement.columns);
    };
    auto& rows = seen.emplace_back();
    if (may_be && std::all_of(logits.begin(), logits.end(), fits))
      for (const auto& row : logits) rows.push_back(pick(row, placement.columns));
    candidates.push_back(std::move(placement));
  }
  HEDGE_TRY(const auto index, recognise(*judged.handshake, seen));
  return candidates[index];
}

Placement accept_unrecognised(const JudgedGlobal& judged, const Placement& asked, const Error& refusal) {
  // A server without identity and names: its outputs are taken as the judged global's.
  auto placement = asked.sha256.empty() && asked.columns.empty() ? placed_as(judged_version(judged.info), judged.labels.size(), {}) : asked;
  placement.shown = Shown::kAccepted;
  placement.sha256.clear();
  placement.needs_handshake = false;
  placement.notes = {accepted_note(refusal)};
  return placement;
}

}  // namespace hedge::edge
