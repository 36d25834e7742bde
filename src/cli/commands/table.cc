#include <memory>

#include "cli/table_commands.h"
#include "workflow/table_facts.h"
#include "workflow/table_rows.h"

namespace hedge::cli {
namespace {

struct Flags {
  std::string table, out, base_of, global_of;
  std::vector<std::string> tables;
  workflow::TableMerge merge;
  workflow::TableSelection select;
  bool json = false;
};

Status run_show(const Flags& flags) {
  HEDGE_TRY(const auto facts, workflow::describe_table(flags.table));
  std::printf("%s", flags.json ? (workflow::to_json(facts).dump(2) + "\n").c_str() : workflow::to_text(facts).c_str());
  return {};
}

Status run_merge(const Flags& flags) {
  auto options = flags.merge;
  options.tables.assign(flags.tables.begin(), flags.tables.end());
  options.out = flags.out;
  HEDGE_TRY(const auto table, workflow::merge_tables(options));
  print_table(table, flags.out);
  return {};
}

Status run_select(const Flags& flags) {
  auto options = flags.select;
  options.table = flags.table;
  options.base_of = flags.base_of;
  options.global_of = flags.global_of;
  options.out = flags.out;
  HEDGE_TRY(const auto table, workflow::select_rows(options));
  print_table(table, flags.out);
  return {};
}

using Shared = std::shared_ptr<Flags>;  // shared with the callbacks, which outlive the functions that add them

void add_show(CLI::App& table, const Shared& f, Context& context) {
  auto* app = table.add_subcommand("show", "show what a table holds: images, classes, both models' accuracies, where it comes from");
  app->add_option("TABLE", f->table, "a prediction table")->required();
  app->add_flag("--json", f->json, "print JSON instead of text");
  app->callback([f, &context] { context.chosen = [f] { return run_show(*f); }; });
}

void add_merge(CLI::App& table, const Shared& f, Context& context) {
  auto* app = table.add_subcommand("merge", "put the rows of tables of the same models one after the other");
  app->add_option("TABLE", f->tables, "two or more prediction tables")->required();
  app->add_option("--split", f->merge.split, "the split that the result is. Default: that of the tables where it is one, else all");
  app->add_option("--out", f->out, "file for the table")->required();
  app->callback([f, &context] { context.chosen = [f] { return run_merge(*f); }; });
}

void add_select(CLI::App& table, const Shared& f, Context& context) {
  auto* app = table.add_subcommand("select", "take some rows of a table, or another table's base or global for the same images");
  auto& o = f->select;
  app->add_option("TABLE", f->table, "a prediction table")->required();
  app->add_option("--classes", o.classes, "keep images with these labels: names, numbers from 0, or ranges such as 3-5")->delimiter(',');
  app->add_option("--ids", o.ids, "keep the images of these ids: FILE[:NAME], as in \"hedge table import\"");
  app->add_option("--random", o.random, "then keep so many images, drawn at random; 0: all")->capture_default_str();
  app->add_option("--seed", o.seed, "of the drawing")->capture_default_str();
  app->add_option("--base-of", f->base_of, "take the base from this table of the same images");
  app->add_option("--global-of", f->global_of, "take the global from this table of the same images");
  app->add_option("--out", f->out, "file for the table")->required();
  app->callback([f, &context] { context.chosen = [f] { return run_select(*f); }; });
}

}  // namespace

/// A line of JSON a table.
void print_table(const routing::PredictionTable& table, const std::string& path) {
  const auto facts = workflow::describe_table(table);
  const Json json = {{"table", path},
                     {"dataset", facts.info.dataset},
                     {"content_hash", facts.info.content_hash},
                     {"rows", facts.rows},
                     {"base_accuracy", facts.base_accuracy},
                     {"global_accuracy", facts.global_accuracy ? Json(*facts.global_accuracy) : Json()}};
  std::printf("%s\n", json.dump().c_str());
}

void add_table(CLI::App& root, Context& context) {
  auto* table =
      root.add_subcommand("table", "prediction tables: make them of predictions made elsewhere, show, divide, join and pick rows");
  table->require_subcommand(1);
  auto f = std::make_shared<Flags>();
  add_table_import(*table, context);
  add_show(*table, f, context);
  add_table_split(*table, context);
  add_merge(*table, f, context);
  add_select(*table, f, context);
}

}  // namespace hedge::cli
