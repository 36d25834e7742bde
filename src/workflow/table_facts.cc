#include "workflow/table_facts.h"

#include <algorithm>
#include <cstdio>

#include "routing/table_view.h"

namespace hedge::workflow {
namespace {

std::string percent(double share) {
  char text[24];
  std::snprintf(text, sizeof text, "%.2f %%", 100 * share);
  return text;
}

std::string class_name(const routing::PredictionTable& table, std::size_t index) {
  return table.info.class_names.empty() ? std::to_string(index) : table.info.class_names[index];
}

void count_classes(const routing::PredictionTable& table, TableFacts& facts) {
  std::vector<std::int64_t> rows(static_cast<std::size_t>(table.classes()), 0);
  for (const auto label : table.labels.data<std::int64_t>()) ++rows[static_cast<std::size_t>(label)];
  const auto [least, most] = std::minmax_element(rows.begin(), rows.end());
  facts.smallest = *least;
  facts.largest = *most;
  facts.smallest_class = class_name(table, static_cast<std::size_t>(least - rows.begin()));
  facts.largest_class = class_name(table, static_cast<std::size_t>(most - rows.begin()));
}

Json model_json(const std::string& name, const std::string& form, const std::string& hash, std::int64_t macs,
                std::optional<double> accuracy) {
  return {{"name", name}, {"form", form}, {"sha256", hash}, {"macs", macs}, {"accuracy", accuracy ? Json(*accuracy) : Json()}};
}

std::string model_line(const char* role, const std::string& name, const std::string& form, double accuracy) {
  return std::string(role) + percent(accuracy) + (name.empty() ? "" : "  " + name) + (form.empty() ? "" : "  (of " + form + ")") + "\n";
}

}  // namespace

TableFacts describe_table(const routing::PredictionTable& table) {
  TableFacts facts{.info = table.info,
                   .rows = static_cast<std::int64_t>(table.size()),
                   .classes = table.classes(),
                   .features = table.features(),
                   .groups = routing::count_groups(table.groups.data<std::int64_t>()),
                   .images_known = table.image_hashes.num_elements() > 0};
  count_classes(table, facts);
  const auto base = routing::base_outcomes(table);
  facts.base_accuracy = base.base_accuracy();
  const auto outcomes = routing::outcomes(table);
  if (!outcomes) return facts;  // there is no global
  facts.global_accuracy = outcomes->global_accuracy();
  std::size_t either = 0;
  for (std::size_t i = 0; i < table.size(); ++i) either += outcomes->base_right[i] != 0 || outcomes->global_right[i] != 0 ? 1 : 0;
  facts.either_accuracy = static_cast<double>(either) / static_cast<double>(table.size());
  return facts;
}

Result<TableFacts> describe_table(const std::filesystem::path& path) {
  HEDGE_TRY(const auto table, routing::read_table(path));
  return describe_table(table);
}

Json to_json(const TableFacts& facts) {
  const auto& info = facts.info;
  Json json = {{"dataset", info.dataset},
               {"split", info.split},
               {"content_hash", info.content_hash},
               {"rows", facts.rows},
               {"classes", facts.classes},
               {"class_names", info.class_names},
               {"features", facts.features},
               {"groups", facts.groups},
               {"images_known", facts.images_known},
               {"executor", info.executor},
               {"base", model_json(info.base_name, info.base_form, info.base_hash, info.base_macs, facts.base_accuracy)},
               {"global", Json()},
               {"either_accuracy", facts.either_accuracy ? Json(*facts.either_accuracy) : Json()},
               {"largest_class", {{"name", facts.largest_class}, {"rows", facts.largest}}},
               {"smallest_class", {{"name", facts.smallest_class}, {"rows", facts.smallest}}},
               {"price", Json()},
               {"accepted_risks", info.accepted_risks}};
  if (facts.global_accuracy)
    json["global"] = model_json(info.global_name, info.global_form, info.global_hash, info.global_macs, facts.global_accuracy);
  if (info.price) json["price"] = {{"per_query", info.price->per_query}, {"currency", info.price->currency}};
  return json;
}

std::string to_text(const TableFacts& facts) {
  const auto& info = facts.info;
  const auto known = [](std::int64_t count, const char* of) { return count > 0 ? ", " + std::to_string(count) + " " + of : std::string(); };
  std::string text = std::to_string(facts.rows) + " images of " + std::to_string(facts.classes) + " classes" +
                     known(facts.features, "features") + known(facts.groups, "groups") + "\n";
  text += "data set  " + info.dataset + "\n";
  text += "content   " + info.content_hash.substr(0, 16) + (facts.images_known ? "" : "  (single images are not known)") + "\n";
  text += model_line("base      ", info.base_name, info.base_form, facts.base_accuracy);
  if (facts.global_accuracy)
    text += model_line("global    ", info.global_name, info.global_form, *facts.global_accuracy) + "either    " +
            percent(*facts.either_accuracy) + "  base or global is right: the most a router can reach\n";
  text += "classes   largest \"" + facts.largest_class + "\" (" + std::to_string(facts.largest) + " images), smallest \"" +
          facts.smallest_class + "\" (" + std::to_string(facts.smallest) + ")\n";
  if (info.price) {
    char price[64];
    std::snprintf(price, sizeof price, "%g", 1000 * info.price->per_query);
    text += "price     " + std::string(price) + " " + info.price->currency + " for 1000 queries\n";
  }
  for (const auto& risk : info.accepted_risks) text += "accepted  " + risk + "\n";
  return text;
}

}  // namespace hedge::workflow
