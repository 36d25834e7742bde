#include <algorithm>
#include <map>
#include <set>

#include "workflow/internal/conventions.h"

namespace hedge::workflow::internal {
namespace {

using Names = std::vector<std::string>;
using Outputs = std::vector<std::int64_t>;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// The run of digits of `text` from `at`, without leading zeros; `at` is moved behind it.
std::string take_number(const std::string& text, std::size_t& at) {
  while (at + 1 < text.size() && text[at] == '0' && is_digit(text[at + 1])) ++at;
  const auto begin = at;
  while (at < text.size() && is_digit(text[at])) ++at;
  return text.substr(begin, at - begin);
}

/// Digits are compared as numbers, all else byte by byte: "class2" < "class10".
bool number_order(const std::string& a, const std::string& b) {
  std::size_t i = 0, j = 0;
  while (i < a.size() && j < b.size()) {
    if (is_digit(a[i]) && is_digit(b[j])) {
      const auto x = take_number(a, i), y = take_number(b, j);
      if (x.size() != y.size()) return x.size() < y.size();
      if (x != y) return x < y;
    } else {
      if (a[i] != b[j]) return static_cast<unsigned char>(a[i]) < static_cast<unsigned char>(b[j]);
      ++i, ++j;
    }
  }
  const bool a_ended = i == a.size(), b_ended = j == b.size();
  return a_ended == b_ended ? a < b : a_ended;
}

bool byte_order(const std::string& a, const std::string& b) { return a < b; }

Names sorted(Names names, bool (*less)(const std::string&, const std::string&)) {
  std::stable_sort(names.begin(), names.end(), less);
  return names;
}

/// The place of each of `names` in `list`; -1: not there.
Outputs places(const Names& names, const Names& list) {
  std::map<std::string, std::int64_t> place;
  for (std::size_t i = 0; i < list.size(); ++i)
    if (!list[i].empty()) place.emplace(list[i], static_cast<std::int64_t>(i));
  Outputs outputs;
  for (const auto& name : names) {
    const auto found = place.find(name);
    outputs.push_back(found == place.end() ? -1 : found->second);
  }
  return outputs;
}

bool all_known(const Outputs& outputs) {
  return std::all_of(outputs.begin(), outputs.end(), [](std::int64_t o) { return o >= 0; });
}

Outputs nameless(const Names& labels) {
  Outputs outputs;
  for (std::size_t i = 0; i < labels.size(); ++i)
    if (labels[i].empty()) outputs.push_back(static_cast<std::int64_t>(i));
  return outputs;
}

/// `names`, without the nameless; with a nameless one first where there is one output more.
Names to_outputs(Names names, std::int64_t outputs) {
  std::erase(names, std::string());
  if (static_cast<std::int64_t>(names.size()) + 1 == outputs) names.insert(names.begin(), "");
  return names;
}

/// Collects orders, each once.
class List {
 public:
  List(const ClassFacts& facts, const ClassConvention* stated) : facts_(facts), stated_(stated) {}

  /// Outputs called `labels`; not where they do not name each output, or not each class of the data set.
  void add_named(std::string key, std::string name, Names labels) {
    if (static_cast<std::int64_t>(labels.size()) != facts_.model.outputs) return;
    auto outputs = places(facts_.dataset, labels);
    if (all_known(outputs))
      add({.key = std::move(key), .name = std::move(name), .output_of = std::move(outputs), .labels = std::move(labels)});
  }
  void add(ClassConvention one) {
    const auto same = [&](const ClassConvention& other) { return other.output_of == one.output_of; };
    if ((stated_ != nullptr && same(*stated_)) || std::any_of(all_.begin(), all_.end(), same)) return;
    one.excluded = nameless(one.labels);
    all_.push_back(std::move(one));
  }
  std::vector<ClassConvention> take() { return std::move(all_); }

 private:
  const ClassFacts& facts_;
  const ClassConvention* stated_;
  std::vector<ClassConvention> all_;
};

/// `names` moved by `by` outputs; what falls off one end comes in at the other.
Names rotated(const Names& names, std::int64_t by) {
  const auto n = static_cast<std::int64_t>(names.size());
  Names moved(names.size());
  for (std::int64_t i = 0; i < n; ++i) moved[static_cast<std::size_t>((i + by + n) % n)] = names[static_cast<std::size_t>(i)];
  return moved;
}

}  // namespace

bool permuted(const Names& a, const Names& b) {
  return a != b && std::multiset<std::string>(a.begin(), a.end()) == std::multiset<std::string>(b.begin(), b.end());
}

ClassConvention classes_as(const ClassFacts& facts, Outputs output_of, std::string key, std::string name) {
  ClassConvention one{.key = std::move(key), .name = std::move(name), .output_of = std::move(output_of)};
  one.labels.resize(static_cast<std::size_t>(facts.model.outputs));
  std::set<std::string> used;
  for (std::size_t c = 0; c < one.output_of.size(); ++c)
    if (one.output_of[c] >= 0) {
      one.labels[static_cast<std::size_t>(one.output_of[c])] = facts.dataset[c];
      used.insert(facts.dataset[c]);
    }
  for (std::size_t o = 0; o < std::min(one.labels.size(), facts.model.names.size()); ++o)
    if (one.labels[o].empty() && used.insert(facts.model.names[o]).second) one.labels[o] = facts.model.names[o];
  one.excluded = nameless(one.labels);
  return one;
}

Result<ClassConvention> stated_classes(const ClassFacts& facts) {
  HEDGE_TRY(const auto maps, model::map_classes(facts.dataset, facts.model, {}));
  const auto& columns = maps.base_columns;
  const auto classes = static_cast<std::int64_t>(maps.space.names.size());
  if (columns.empty() && facts.model.outputs != classes)
    return Error{.code = ErrorCode::kMismatch,
                 .what = "the model has another number of classes than the data set",
                 .where = facts.model.where,
                 .got = std::to_string(facts.model.outputs),
                 .expected = std::to_string(classes),
                 .hint = "give the names of the model's outputs (--labels)"};
  ClassConvention one{.key = "stated", .name = "as stated"};
  one.labels.resize(static_cast<std::size_t>(facts.model.outputs));
  for (std::int64_t c = 0; c < classes; ++c) {
    const auto output = columns.empty() ? c : columns[static_cast<std::size_t>(c)];
    one.labels[static_cast<std::size_t>(output)] = maps.space.names[static_cast<std::size_t>(c)];
  }
  for (const auto c : maps.space.of_dataset) one.output_of.push_back(columns.empty() ? c : columns[static_cast<std::size_t>(c)]);
  one.excluded = nameless(one.labels);
  return one;
}

std::vector<ClassConvention> other_classes(const ClassFacts& facts, const ClassConvention* stated) {
  List list(facts, stated);
  const auto outputs = facts.model.outputs;
  const auto& names = facts.model.names;
  if (stated != nullptr)
    for (const std::int64_t by : {1, -1})
      list.add_named(by > 0 ? "shift=+1" : "shift=-1",
                     by > 0 ? "classes shifted by one (each one output later)" : "classes shifted by one (each one output earlier)",
                     rotated(stated->labels, by));
  if (!facts.own.empty()) list.add_named("names=own", "in the order of the names in the model's file", to_outputs(facts.own, outputs));
  for (const auto* source : {&names, &facts.dataset}) {
    const bool of_model = source == &names;
    if (source->empty()) continue;
    const std::string whose = of_model ? "the model's names" : "the data set's names";
    const std::string key = of_model ? "order" : "dataset";
    const bool numbers =
        std::any_of(source->begin(), source->end(), [](const auto& name) { return name.find_first_of("0123456789") != name.npos; });
    list.add_named(key + "=byte", whose + (numbers ? " in byte order (1, 10, 2)" : " in alphabetical order"),
                   to_outputs(sorted(*source, byte_order), outputs));
    list.add_named(key + "=number", whose + " in the order of their numbers (1, 2, 10)",
                   to_outputs(sorted(*source, number_order), outputs));
    if (!of_model) list.add_named("dataset=as-listed", "in the data set's order, whatever the names", to_outputs(*source, outputs));
  }
  return list.take();
}

}  // namespace hedge::workflow::internal
