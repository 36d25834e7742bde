#include "cli/cloud_flags.h"

#include <optional>
#include <utility>

namespace hedge::cli {
namespace {

Result<std::optional<oip::Tls>> read_tls(const CloudFlags& flags) {
  if (!flags.tls && flags.tls_ca.empty() && flags.tls_cert.empty() && flags.tls_name.empty()) return std::optional<oip::Tls>();
  HEDGE_TRY(auto tls, oip::read_tls({.ca = flags.tls_ca, .certificate = flags.tls_cert, .key = flags.tls_key}));
  return std::optional(std::move(tls));
}

}  // namespace

void add_cloud_flags(CLI::App& app, CloudFlags& flags) {
  auto* cloud =
      app.add_option("--cloud", flags.cloud,
                     "HOST:PORT of the server of the global: any Open Inference Protocol server over gRPC (hedge-cloud, Triton, …)");
  auto* none = app.add_flag("--no-cloud", flags.no_cloud, "never query: the base answers every image");
  none->excludes(cloud);
  app.add_option("--deadline-ms", flags.deadline_ms,
                 "longest wait for an answer of the cloud, in milliseconds; after it the base's answer is used. Longer loses fewer answers "
                 "of a slow cloud")
      ->capture_default_str()
      ->check(CLI::Range(1, 600000));
  app.add_flag("--accept-other-global", flags.accept_other_global,
               "also query a server whose model is not the one that the bundle was judged with, or cannot be shown to be. The report's "
               "accuracy does not hold for its answers");
  app.add_flag("--tls", flags.tls, "encrypt the connection; the other --tls options imply it")->group("TLS");
  app.add_option("--tls-ca", flags.tls_ca, "PEM file with the certificate authorities to trust. Default: the system's")->group("TLS");
  auto* cert =
      app.add_option("--tls-cert", flags.tls_cert, "PEM file with this device's certificate, if the server asks for one")->group("TLS");
  auto* key = app.add_option("--tls-key", flags.tls_key, "PEM file with the private key of --tls-cert")->group("TLS");
  cert->needs(key);
  key->needs(cert);
  app.add_option("--tls-name", flags.tls_name, "name to expect in the server's certificate, if it is not that of the host")->group("TLS");
}

Result<std::unique_ptr<oip::RemoteModel>> open_cloud(const CloudFlags& flags, const std::string& model) {
  if (flags.no_cloud) return std::unique_ptr<oip::RemoteModel>();
  if (flags.cloud.empty())
    return Error{.code = ErrorCode::kInvalidArgument,
                 .what = "no cloud is given",
                 .hint = "give --cloud HOST:PORT, or --no-cloud to answer everything here"};
  oip::RemoteOptions options{.address = flags.cloud, .model = model, .tls_server_name = flags.tls_name};
  HEDGE_TRY(options.tls, read_tls(flags));
  return oip::connect(options);
}

}  // namespace hedge::cli
