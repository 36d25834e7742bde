#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "hedge/remote.h"
#include "hedge/result.h"

namespace hedge::cli {

/// How a device's program reaches the cloud; hedge-edge and hedge-gateway have the same words for it.
struct CloudFlags {
  std::string cloud;
  bool no_cloud = false;
  int deadline_ms = 200;
  bool tls = false;
  std::string tls_ca;
  std::string tls_cert;
  std::string tls_key;
  std::string tls_name;
  bool accept_other_global = false;
};

/// `flags` must outlive the parsing.
void add_cloud_flags(CLI::App& app, CloudFlags& flags);

/// The global under the served name `model`; nullptr with --no-cloud.
/// Errors: kInvalidArgument (no cloud is named); those of read_file and oip::connect.
Result<std::unique_ptr<oip::RemoteModel>> open_cloud(const CloudFlags& flags, const std::string& model);

}  // namespace hedge::cli
