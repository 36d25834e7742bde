#include "graph/zoo.h"

namespace hedge::graph {

const std::vector<ZooEntry>& zoo_catalogue() {
  const auto square = [](std::int64_t side) { return ImageShape{.channels = 3, .height = side, .width = side}; };
  constexpr std::int64_t kSmallClasses = 10;
  static const std::vector<ZooEntry> catalogue = {{"mobile:4", square(32), kSmallClasses},
                                                  {"mobile:8", square(32), kSmallClasses},
                                                  {"mobile:16", square(32), kSmallClasses},
                                                  {"resnet:16,1", square(32), kSmallClasses},
                                                  {"resnet:32,2", square(32), kSmallClasses},
                                                  {"pooled:12,32,92,stem=8", square(32), kSmallClasses},
                                                  {"pooled:64,192,256", square(32), kSmallClasses},
                                                  {"mcunet-vww1", square(80), 2},
                                                  {"mcunet-in0", square(48)},
                                                  {"mcunet-in1", square(96)},
                                                  {"mcunet-in2", square(160)},
                                                  {"mcunet-in3", square(176)},
                                                  {"mcunet-in4", square(160)},
                                                  {"mobilenetv2:0.35", square(224)},
                                                  {"mobilenetv2:0.5", square(224)},
                                                  {"mobilenetv2:0.75", square(224)},
                                                  {"mobilenetv2:1.0", square(224)},
                                                  {"mobilenetv3-small:0.35", square(224)},
                                                  {"mobilenetv3-small:0.5", square(224)},
                                                  {"mobilenetv3-small:0.75", square(224)},
                                                  {"mobilenetv3-small:1.0", square(224)},
                                                  {"mobilenetv3-large:0.35", square(224)},
                                                  {"mobilenetv3-large:0.5", square(224)},
                                                  {"mobilenetv3-large:0.75", square(224)},
                                                  {"mobilenetv3-large:1.0", square(224)},
                                                  {"mobilenetv3-large:1.25", square(224)},
                                                  {"efficientnet-lite0", square(224)},
                                                  {"efficientnet-lite1", square(240)},
                                                  {"efficientnet-lite2", square(260)},
                                                  {"efficientnet-lite3", square(280)},
                                                  {"efficientnet-lite4", square(300)},
                                                  {"resnet18", square(224)},
                                                  {"resnet34", square(224)},
                                                  {"resnet50", square(224)},
                                                  {"ofa-mbv3:kernel=3,expand=3,depth=2", square(128)},
                                                  {"ofa-mbv3", square(224)},
                                                  {"ofa-mbv3:width=1.2", square(224)}};
  return catalogue;
}

}  // namespace hedge::graph
