// hedge-cloud: serves a model over the Open Inference Protocol. Parses, wires, prints; the work is done in the rooms.

#include <pthread.h>
#include <signal.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <exception>
#include <filesystem>
#include <iostream>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "cli/form_flags.h"
#include "cli/renamed.h"
#include "core/file.h"
#include "hedge/open_model.h"
#include "hedge/server.h"
#include "model/class_map.h"

namespace hedge {
namespace {

constexpr int kGraceMs = 5000;

struct Flags {
  std::string model;
  std::string recipe;
  std::string labels;
  cli::FormFlags form;
  std::string name = "global";
  std::string address = "127.0.0.1:8001";
  int threads = 0;
  std::string tls_certificate;
  std::string tls_key;
  std::string tls_ca;
  std::size_t most_message_mib = 64;
  std::string port_file;
  bool verbose = false;
};

void say(const std::string& text) {
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  std::cerr << "hedge-cloud: " << text << std::endl;
}

/// What is served: by --recipe and --labels, else by the sidecar, else by the metadata, as everywhere.
Result<oip::ServedModel> open_served(const Flags& flags) {
  model::OpenModelOptions options{.card = {.recipe = flags.recipe,
                                           .labels = flags.labels,
                                           .input_layout = flags.form.input_layout,
                                           .output = flags.form.output,
                                           .output_kind = flags.form.output_kind},
                                  .threads = flags.threads,
                                  .without_recipe = true};
  options.card.log = [](LogLevel, const std::string& message) { say(message); };
  HEDGE_TRY(auto opened, model::open_model(flags.model, options));
  std::vector<std::string> notes = opened.card.notes;
  oip::ServedModel served{.name = flags.name, .executor = std::move(opened.executor), .sha256 = opened.card.sha256};
  if (opened.card.input.recipe) served.recipe = opened.card.input.recipe->to_json();
  HEDGE_TRY(served.labels, model::names_by_output(model::classes_of(opened.card), "model", notes));
  if (!flags.verbose) return served;
  say(served.executor->description() + ", model " + opened.card.sha256);
  for (const auto& note : notes) say(note);
  return served;
}

Result<std::optional<oip::Tls>> read_tls(const Flags& flags) {
  if (flags.tls_certificate.empty() && flags.tls_key.empty() && flags.tls_ca.empty()) return std::optional<oip::Tls>();
  HEDGE_TRY(auto tls, oip::read_tls({.ca = flags.tls_ca, .certificate = flags.tls_certificate, .key = flags.tls_key}));
  return std::optional<oip::Tls>(std::move(tls));
}

Result<std::unique_ptr<oip::Server>> start(const Flags& flags) {
  const int threads = flags.threads > 0 ? flags.threads : static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  oip::ServerOptions options{.address = flags.address, .most_message_bytes = flags.most_message_mib << 20, .threads = threads};
  HEDGE_TRY(options.tls, read_tls(flags));
  options.log = [verbose = flags.verbose](LogLevel level, const std::string& message) {
    if (verbose || level >= LogLevel::kWarning) say(message);
  };
  std::vector<oip::ServedModel> models(1);
  HEDGE_TRY(models[0], open_served(flags));
  return oip::start_server(std::move(models), options);
}

/// Serves until SIGTERM or SIGINT. The signals are blocked before any thread starts, so that only sigwait sees them.
Status serve(const Flags& flags) {
  sigset_t stop_signals;
  sigemptyset(&stop_signals);
  sigaddset(&stop_signals, SIGTERM);
  sigaddset(&stop_signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &stop_signals, nullptr);
  HEDGE_TRY(const auto server, start(flags));
  if (!flags.port_file.empty()) HEDGE_CHECK(write_file_atomic(flags.port_file, std::to_string(server->port()) + "\n"));
  const std::string host = flags.address.substr(0, flags.address.rfind(':'));
  say("serving " + flags.name + " at " + host + ":" + std::to_string(server->port()) + " (ready)");
  int signal = 0;
  sigwait(&stop_signals, &signal);
  say("stopping");
  pthread_sigmask(SIG_UNBLOCK, &stop_signals, nullptr);  // a second signal ends the process at once
  server->stop(kGraceMs);
  return {};
}

void add_serve_flags(CLI::App& command, Flags& flags) {
  command.add_option("--model", flags.model, "The model: .onnx, .tflite or OpenVINO IR (.xml)")->required()->type_name("PATH");
  command
      .add_option("--recipe", flags.recipe,
                  "How images are prepared: a JSON file, or e.g. resize=256,crop=224,mean=imagenet,std=imagenet.\nDefault: "
                  "MODEL.hedge.json, else the model's metadata")
      ->type_name("RECIPE");
  command
      .add_option("--labels", flags.labels,
                  "File with the class names of the model's outputs, a line each (or JSON). Default: MODEL.hedge.json, else the metadata")
      ->type_name("FILE");
  flags.form.add(command, "", "the model");
  command.add_option("--name", flags.name, "Name that clients ask for")->capture_default_str();
  command.add_option("--address", flags.address, "Address to listen at, HOST:PORT; port 0: a free one")->capture_default_str();
  command.add_option("--threads", flags.threads, "Requests that are computed at once, and CPU threads for all of them; 0: one per core")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  command.add_option("--max-message-mb", flags.most_message_mib, "Largest request in MiB; larger ones are refused")
      ->check(CLI::Range(1, 2047))
      ->capture_default_str();
  command.add_option("--port-file", flags.port_file, "Write the port to this file when the server is ready")->type_name("FILE");
  command.add_flag("--verbose", flags.verbose, "Also log each refused request and the reason");
  const auto* const group = "TLS (PEM files)";
  auto* certificate = command.add_option("--tls-cert", flags.tls_certificate, "The server's certificate; needs --tls-key")->group(group);
  auto* key = command.add_option("--tls-key", flags.tls_key, "The certificate's private key")->group(group);
  certificate->needs(key)->type_name("FILE");
  key->needs(certificate)->type_name("FILE");
  command.add_option("--tls-ca", flags.tls_ca, "Let only clients connect that have a certificate of this authority (mutual TLS)")
      ->group(group)
      ->needs(certificate)
      ->type_name("FILE");
}

int run(int argc, char** argv) {
  CLI::App app(
      "hedge-cloud serves the global of a hybrid over gRPC with the Open Inference Protocol (KServe v2), so that hedge-edge,\n"
      "tritonclient and any other client of that protocol can query it.\n\n"
      "A model with a recipe (--recipe, MODEL.hedge.json or its metadata) takes the images as they are, u8 [N, H, W, C],\n"
      "and normalises them itself; a model without one takes its inputs as they are. On SIGTERM or SIGINT it finishes the calls\n"
      "that have been started and ends.",
      "hedge-cloud");
  app.set_version_flag("--version", "hedge-cloud " HEDGE_VERSION);
  app.require_subcommand(1);
  app.footer(
      "Exit status: 0 after a signal, else what went wrong: 2 a wrong flag, 3 a file that is not there, 4 a file that\n"
      "does not follow its format, 5 a model that is not supported, 6 a key that is not the certificate's,\n"
      "7 the port is taken or a file cannot be written, 70 a bug.\n\n"
      "Example: hedge-cloud serve --model global.onnx --address 0.0.0.0:8001");
  Flags flags;
  add_serve_flags(*app.add_subcommand("serve", "Serve one model until a signal comes"), flags);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& success) {
    return app.exit(success);
  } catch (const CLI::ParseError& error) {
    app.exit(error);
    std::cerr << cli::renamed_hint("hedge-cloud", argc, argv);
    return static_cast<int>(ErrorCode::kInvalidArgument);
  }
  const Status status = serve(flags);
  if (status) return 0;
  say("error: " + status.error().message());
  return static_cast<int>(status.error().code);
}

}  // namespace
}  // namespace hedge

int main(int argc, char** argv) {
  try {
    return hedge::run(argc, argv);
  } catch (const std::exception& exception) {
    std::cerr << "hedge-cloud: error: " << exception.what() << "\n";
    return static_cast<int>(hedge::ErrorCode::kInternal);
  }
}
