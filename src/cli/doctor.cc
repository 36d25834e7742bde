#include "cli/doctor.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <set>
#include <sstream>
#include <string_view>
#include <system_error>
#include <thread>

#include "core/file.h"

namespace hedge::cli {
namespace {

namespace fs = std::filesystem;

constexpr double kGiB = 1024.0 * 1024.0 * 1024.0;
constexpr double kNeededMemoryGiB = 4;  // the demo's data, two networks and libtorch's workspaces
constexpr double kNeededDiskGiB = 2;    // models, checkpoints and tables of a demo, with room for a second

std::string gib(double value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f GiB", value);
  return text.data();
}

/// `path`, which is absolute, below `root`.
fs::path below(const fs::path& root, const fs::path& path) { return root / path.relative_path(); }

/// The value behind the first "key<spaces>: " of a /proc file; empty for none.
std::string proc_value(const std::string& text, std::string_view key) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const auto colon = line.find(':');
    if (colon == std::string::npos || line.rfind(key, 0) != 0) continue;
    if (line.find_first_not_of(" \t", key.size()) != colon) continue;
    const auto begin = line.find_first_not_of(" \t", colon + 1);
    return begin == std::string::npos ? "" : line.substr(begin);
  }
  return "";
}

std::string text_of(const fs::path& path) {
  auto text = read_file(path, std::size_t{1} << 24);
  return text.ok() ? std::move(text).value() : "";
}

std::vector<Check> examine_processor(const DoctorOptions& options) {
  const std::string text = text_of(below(options.root, "/proc/cpuinfo"));
  std::istringstream words(proc_value(text, "flags") + " " + proc_value(text, "Features"));
  std::set<std::string> flags;
  for (std::string word; words >> word;) flags.insert(word);
  std::string found;
  for (const auto& [flag, name] :
       {std::pair{"avx2", "AVX2"}, {"avx512f", "AVX-512"}, {"avx512_bf16", "bf16"}, {"amx_bf16", "AMX"}, {"asimd", "NEON"}})
    if (flags.contains(flag)) found += std::string(found.empty() ? "" : ", ") + name;
  const std::string model = proc_value(text, "model name");
  const unsigned cores = std::max(1U, std::thread::hardware_concurrency());
  const bool vectors = flags.contains("avx2") || flags.contains("asimd");
  return {{.name = "processor",
           .ok = vectors,
           .required = false,
           .found = (model.empty() ? "unknown" : model) + (found.empty() ? ", no wide vectors" : ", " + found),
           .hint = vectors ? "" : "AVX2 or NEON make training several times faster"},
          {.name = "cores",
           .ok = cores >= 2,
           .required = false,
           .found = std::to_string(cores),
           .hint = cores >= 2 ? "" : "the documented times are for two cores"}};
}

Check examine_memory(const DoctorOptions& options) {
  std::istringstream text(proc_value(text_of(below(options.root, "/proc/meminfo")), "MemAvailable"));
  double kib = 0;
  text >> kib;
  const double available = kib * 1024 / kGiB;
  const bool ok = available >= kNeededMemoryGiB;
  return {.name = "memory",
          .ok = ok,
          .required = false,
          .found = gib(available) + " available",
          .hint = ok ? "" : "training needs " + gib(kNeededMemoryGiB) + "; use smaller batches or networks"};
}

Check examine_disk(const DoctorOptions& options) {
  std::error_code code;
  const auto space = fs::space(options.work, code);
  const double available = code ? 0 : static_cast<double>(space.available) / kGiB;
  const bool ok = available >= kNeededDiskGiB;
  return {.name = "disk",
          .ok = ok,
          .required = true,
          .found = code ? code.message() : gib(available) + " available",
          .hint = ok ? "" : "free " + gib(kNeededDiskGiB) + " where outputs go"};
}

/// Debian's alternatives say which library answers to libblas.so.3, which its libtorch calls; libtorch 2 from the wheel has its own in
/// itself.
Check examine_blas(const DoctorOptions& options) {
  const bool debian = options.torch_version.empty() || options.torch_version.starts_with("1.");
  if (!debian) return {.name = "BLAS", .ok = true, .required = true, .found = "libtorch's own", .hint = ""};
  Check check{.name = "BLAS", .required = true, .found = "none", .hint = "install libopenblas0-openmp (`make setup` does)"};
  std::error_code code;
  for (const char* triplet : {"x86_64-linux-gnu", "aarch64-linux-gnu"}) {
    const fs::path target = fs::read_symlink(below(options.root, "/etc/alternatives") / (std::string("libblas.so.3-") + triplet), code);
    if (code) continue;
    check.found = target.string();
    check.ok = check.found.find("openblas") != std::string::npos;
    if (!check.ok) check.hint = "this one makes training some fifty times slower; " + check.hint;
    if (check.ok) check.hint.clear();
    break;
  }
  return check;
}

std::vector<Check> examine_libraries(const DoctorOptions& options) {
  const bool torch = !options.torch_version.empty();
  const bool openvino = !options.openvino_version.empty();
  return {{.name = "libtorch",
           .ok = torch,
           .required = true,
           .found = torch ? options.torch_version : "none",
           .hint = torch ? "" : "built without training: install libtorch-dev and build again"},
          {.name = "OpenVINO",
           .ok = openvino,
           .required = true,
           .found = openvino ? options.openvino_version : "none",
           .hint = openvino ? "" : "`make setup` installs its wheel into .venv"}};
}

Check examine_data(const DoctorOptions& options) {
  Check check{.name = "Fashion-MNIST", .required = false, .found = options.fashion_mnist.string()};
  for (const char* name : {"train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"}) {
    const fs::path file = below(options.root, options.fashion_mnist) / name;
    std::error_code code;
    if (fs::exists(file, code) || fs::exists(file.string() + ".gz", code)) continue;
    check.found = std::string("no ") + name + " in " + options.fashion_mnist.string();
    check.hint = "install dataset-fashion-mnist, or use folder:PATH with your own images";
    return check;
  }
  check.ok = true;
  return check;
}

Check examine_browser(const DoctorOptions& options) {
  for (const char* path : {"/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"}) {
    std::error_code code;
    if (fs::exists(below(options.root, path), code)) return {.name = "browser", .ok = true, .required = false, .found = path, .hint = ""};
  }
  return {.name = "browser", .ok = false, .required = false, .found = "none", .hint = "only a test needs one: install chromium"};
}

/// Whether a server could listen there now.
bool port_is_free(int port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket < 0) return false;
  const int yes = 1;
  ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const bool is_free = ::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  ::close(socket);
  return is_free;
}

Check examine_port(int port) {
  const bool ok = port_is_free(port);
  return {.name = "port " + std::to_string(port),
          .ok = ok,
          .required = false,
          .found = ok ? "free" : "taken",
          .hint = ok ? "" : "give hedge-cloud another address"};
}

}  // namespace

std::vector<Check> examine_machine(const DoctorOptions& options) {
  std::vector<Check> checks = examine_processor(options);
  checks.push_back(examine_memory(options));
  checks.push_back(examine_disk(options));
  checks.push_back(examine_blas(options));
  for (auto& check : examine_libraries(options)) checks.push_back(std::move(check));
  checks.push_back(examine_data(options));
  checks.push_back(examine_browser(options));
  for (const int port : options.ports) checks.push_back(examine_port(port));
  return checks;
}

bool healthy(const std::vector<Check>& checks) {
  return std::all_of(checks.begin(), checks.end(), [](const Check& check) { return check.ok || !check.required; });
}

std::string to_text(const std::vector<Check>& checks) {
  std::size_t width = 0;
  for (const auto& check : checks) width = std::max(width, check.name.size());
  std::string text;
  for (const auto& check : checks) {
    text += check.ok ? "ok       " : check.required ? "MISSING  " : "note     ";
    text += check.name + std::string(width - check.name.size() + 2, ' ') + check.found + "\n";
    if (!check.hint.empty()) text += std::string(9 + width + 2, ' ') + check.hint + "\n";
  }
  return text;
}

Json to_json(const std::vector<Check>& checks) {
  Json list = Json::array();
  for (const auto& check : checks)
    list.push_back({{"name", check.name}, {"ok", check.ok}, {"required", check.required}, {"found", check.found}, {"hint", check.hint}});
  return {{"healthy", healthy(checks)}, {"checks", std::move(list)}};
}

}  // namespace hedge::cli
