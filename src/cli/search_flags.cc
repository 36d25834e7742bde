#include "cli/search_flags.h"

#include <map>

namespace hedge::cli {
namespace {

const std::map<std::string, double> kCounts = {{"k", 1e3}, {"M", 1e6}, {"G", 1e9}};
const std::map<std::string, double> kBytes = {{"KB", 1e3}, {"KiB", 1024}, {"MB", 1e6}, {"MiB", 1048576}};

template <typename T>
void limit(CLI::App& app, const std::string& name, std::optional<T>& to, const std::map<std::string, double>& units,
           const std::string& help) {
  auto* option = app.add_option_function<double>(
      name, [&to](double value) { to = static_cast<T>(value); }, help);
  if (!units.empty()) option->transform(CLI::AsNumberWithUnit(units, CLI::AsNumberWithUnit::CASE_SENSITIVE));
}

void add_limits(CLI::App& app, const std::string& prefix, const std::string& whose, search::Limits& limits) {
  limit(app, prefix + "macs", limits.macs, kCounts, "most MACs of " + whose + " for an image, e.g. 12M");
  limit(app, prefix + "params", limits.parameters, kCounts, "most learned values of " + whose + ", e.g. 500k");
}

/// A search in a supernet trains nothing and finds a base: what is about other searches is refused with it.
void set_apart(CLI::App& app) {
  auto* supernet = app.get_option("--supernet");
  for (const char* name : {"--judged", "--proposed"}) app.get_option(name)->needs(supernet);
  for (const char* name :
       {"--space", "--global-space", "--max-global-macs", "--max-global-params", "--coverage", "--mean-macs", "--mean-latency-ms",
        "--mean-energy-mj", "--first-epochs", "--finalists", "--training", "--list", "--trial", "--epochs"})
    app.get_option(name)->excludes(supernet);
}

}  // namespace

void add_search_flags(CLI::App& app, SearchFlags& f) {
  auto& o = f.options;
  app.add_option("--data", o.data, "labelled images to train on. Default split: train")->required();
  app.add_option("--out", f.out, "folder for trainings, report and models; run again, it goes on from there")->required();
  app.add_option(
      "--space", f.base_spaces,
      "family of networks for the base, with the values that are free, e.g. mobile or mobile:width=4|6|8,size=24|32; several are "
      "searched together");
  app.add_option(
      "--supernet", f.in_supernet.supernet,
      "instead: search the networks of this supernet (hedge train --supernet, with the same --data and --held-out), without training");
  app.add_option("--judged", f.in_supernet.judged, "with --supernet: networks that are judged for the accuracy predictor to learn from")
      ->capture_default_str();
  app.add_option("--proposed", f.in_supernet.proposed, "with --supernet: networks that the predictor holds best, which are judged as well")
      ->capture_default_str();
  app.add_option("--global-space", f.global_spaces, "the same for the global: then pairs are searched, and the best pair is chosen");
  add_limits(app, "--max-", "the base", o.base_limits);
  limit(app, "--max-ram", o.base_limits.ram_bytes, kBytes, "most RAM of the base's activations in int8 on the device, e.g. 320KiB");
  limit(app, "--max-flash", o.base_limits.flash_bytes, kBytes, "most flash of the base in int8 with its code, e.g. 1MiB");
  limit(app, "--max-instructions", o.base_limits.instructions, kCounts, "most instructions of the base for an image, estimated");
  limit(app, "--max-latency-ms", o.base_limits.latency_ms, {},
        "most milliseconds of the base for an image on this machine with OpenVINO on one thread, by a table of the networks' parts");
  app.add_option("--latency-table", o.latency_table,
                 "file of that table; one from another machine is used where it knows all parts. Default: OUT/latency.json");
  app.add_option("--target", f.target, "microcontroller of RAM, flash and instructions")->capture_default_str();
  add_limits(app, "--max-global-", "the global", o.global_limits);
  app.add_option("--coverage", f.coverage, "pairs are compared with this share of the images answered by the base. Default: 0.8");
  limit(app, "--mean-macs", f.macs, kCounts, "instead: pairs are compared at this mean number of MACs an image (one device computes both)");
  limit(app, "--mean-latency-ms", f.latency, {}, "instead: at this mean latency with the profiles below (hedge plan --list names them)");
  limit(app, "--mean-energy-mj", f.energy, {}, "instead: at this mean energy of the device");
  app.add_option("--device-profile", f.device, "device of --mean-latency-ms and --mean-energy-mj")->capture_default_str();
  app.add_option("--link-profile", f.link, "link of these")->capture_default_str();
  app.add_option("--cloud-profile", f.cloud, "cloud of these")->capture_default_str();
  app.add_option("--profiles", f.profiles, "file with own profiles");
  f.population = app.add_option("--population", o.base.population,
                                "networks of the first generation; more find better ones and take longer. With --supernet 100")
                     ->capture_default_str();
  f.generations = app.add_option("--generations", o.base.generations,
                                 "further generations, of half as many networks, from the best so far. With --supernet 30, of as many")
                      ->capture_default_str();
  app.add_option("--first-epochs", o.base.first_epochs,
                 "length of the first, short trainings; the best third is trained three times as long, and so on up to --epochs")
      ->capture_default_str();
  app.add_option("--finalists", o.base.finalists, "networks that are trained in full length")->capture_default_str();
  app.add_option("--held-out", o.held_share, "share of the images that is not trained on, for all choices")->capture_default_str();
  app.add_option("--training", f.recipe, "training recipe: auto, plain, small or mobile (hedge train --help)")->capture_default_str();
  app.add_flag("--list", f.list, "train nothing: print the trainings that are pending, one a line, for other processes or hosts");
  app.add_option("--trial", f.trial, "do this one of the pending trainings; safe to repeat. Many may run at once on a shared folder");
  f.training.options.epochs = 18;
  f.training.add(app);
  f.training.add_switches(app);
  set_apart(app);
}

}  // namespace hedge::cli
