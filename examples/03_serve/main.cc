// Serves a model over the Open Inference Protocol (gRPC), as hedge-cloud does, until standard input ends.
//   serve MODEL [HOST:PORT]
#include <hedge/open_model.h>
#include <hedge/server.h>

#include <cstdio>
#include <string>
#include <utility>
#include <vector>

namespace {

hedge::Result<std::unique_ptr<hedge::oip::Server>> start(const std::string& model, const std::string& address) {
  // The file, its sidecar and its metadata say how images are prepared; the executor then takes them as they are, u8 [N, H, W, C].
  HEDGE_TRY(auto opened, hedge::model::open_model(model, {}));
  std::vector<hedge::oip::ServedModel> models;
  // By the identity and the recipe a device knows that this is the model that its bundle was judged with.
  models.push_back({.name = "global",
                    .executor = std::move(opened.executor),
                    .labels = opened.card.labels,
                    .sha256 = opened.card.sha256,
                    .recipe = opened.card.input.recipe ? opened.card.input.recipe->to_json() : ""});
  return hedge::oip::start_server(std::move(models), {.address = address});
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: serve MODEL [HOST:PORT]\n");
    return 2;
  }
  const std::string address = argc > 2 ? argv[2] : "127.0.0.1:8001";
  const auto server = start(argv[1], address);
  if (!server) {
    std::fprintf(stderr, "%s\n", server.error().message().c_str());
    return static_cast<int>(server.error().code);
  }
  std::printf("port %d\n", (*server)->port());
  std::fflush(stdout);
  while (std::getchar() != EOF) {
  }
  (*server)->stop(1000);  // calls under way may finish within a second
  return 0;
}
