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

#include "apps/model_metadata.h"
#include "core/file.h"
#include "graph/onnx/onnx_io.h"
#include "hedge/server.h"
#include "infer/openvino/openvino_executor.h"

namespace hedge {
namespace {

constexpr int kGraceMs = 5000;

struct Flags {
  std::string model;
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

/// What an ONNX file's metadata says about serving it.
struct Recipe {
  std::optional<Normalization> normalization;
  std::vector<std::string> labels;
};

Result<Recipe> read_recipe(const std::filesystem::path& path) {
  Recipe recipe;
  if (path.extension() != ".onnx") return recipe;
  auto graph = graph::read_onnx(path);
  if (!graph && graph.error().code == ErrorCode::kUnsupported) {
    // Not made by this project, whose models have only operators of its table: OpenVINO may still run it as it is.
    say("the model's metadata is not used: " + graph.error().message());
    return recipe;
  }
  if (!graph) return std::move(graph).error();
  HEDGE_TRY(const auto preprocess, apps::recipe_of(*graph));
  if (preprocess) recipe.normalization = preprocess->normalization;
  HEDGE_TRY(recipe.labels, apps::labels_of(*graph, path.string()));
  return recipe;
}

Result<std::optional<oip::Tls>> read_tls(const Flags& flags) {
  if (flags.tls_certificate.empty() && flags.tls_key.empty() && flags.tls_ca.empty()) return std::optional<oip::Tls>();
  const auto read = [](const std::string& path) { return path.empty() ? Result<std::string>(std::string()) : read_file(path, 1u << 20); };
  oip::Tls tls;
  HEDGE_TRY(tls.certificate, read(flags.tls_certificate));
  HEDGE_TRY(tls.key, read(flags.tls_key));
  HEDGE_TRY(tls.ca, read(flags.tls_ca));
  return std::optional<oip::Tls>(std::move(tls));
}

Result<std::unique_ptr<oip::Server>> start(const Flags& flags) {
  const int threads = flags.threads > 0 ? flags.threads : static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  oip::ServerOptions options{.address = flags.address, .most_message_bytes = flags.most_message_mib << 20, .threads = threads};
  HEDGE_TRY(options.tls, read_tls(flags));
  options.log = [verbose = flags.verbose](LogLevel level, const std::string& message) {
    if (verbose || level >= LogLevel::kWarning) say(message);
  };
  HEDGE_TRY(auto recipe, read_recipe(flags.model));
  infer::OpenVinoOptions inference{.throughput = true, .threads = flags.threads, .normalization = std::move(recipe.normalization)};
  std::vector<oip::ServedModel> models(1);
  models[0].name = flags.name;
  models[0].labels = std::move(recipe.labels);
  HEDGE_TRY(models[0].executor, infer::open_openvino(flags.model, inference));
  if (flags.verbose) say(models[0].executor->description());
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
  command.add_option("--name", flags.name, "The name clients ask for")->capture_default_str();
  command.add_option("--address", flags.address, "Where to listen, HOST:PORT; port 0 picks a free one")->capture_default_str();
  command.add_option("--threads", flags.threads, "Requests computed at once, and CPU threads for them; 0: one a core")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  command.add_option("--max-message-mb", flags.most_message_mib, "Largest request, in MiB; larger ones are refused")
      ->check(CLI::Range(1, 2047))
      ->capture_default_str();
  command.add_option("--port-file", flags.port_file, "Write the port to this file when ready")->type_name("FILE");
  command.add_flag("--verbose", flags.verbose, "Also say what is refused, and why");
  const auto* const group = "TLS (PEM files)";
  auto* certificate = command.add_option("--tls-cert", flags.tls_certificate, "The server's certificate; needs --tls-key")->group(group);
  auto* key = command.add_option("--tls-key", flags.tls_key, "The certificate's private key")->group(group);
  certificate->needs(key)->type_name("FILE");
  key->needs(certificate)->type_name("FILE");
  command.add_option("--tls-ca", flags.tls_ca, "Only clients with a certificate of this authority may connect (mutual TLS)")
      ->group(group)
      ->needs(certificate)
      ->type_name("FILE");
}

int run(int argc, char** argv) {
  CLI::App app(
      "hedge-cloud serves the global model of a hybrid over gRPC, in the Open Inference Protocol (KServe v2): hedge-edge,\n"
      "tritonclient and any other client of that protocol can query it.\n\n"
      "A model with a preprocess recipe in its metadata takes the images as they are, u8 [N, H, W, C], and normalises\n"
      "them itself; any other takes its own inputs. SIGTERM and SIGINT let calls under way finish, then end it.",
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
