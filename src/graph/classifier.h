#pragma once

#include <cstdint>
#include <string>

#include "graph/graph.h"

namespace hedge::graph {

/// A network whose last layer is new.
struct NewClassifier {
  Graph graph;
  std::string features;  ///< the penultimate tensor, [N, F] or [N, F, 1, 1]
  std::string weights;   ///< initializer [classes, F]
  std::string bias;      ///< initializer [classes]
};

/// `graph` for other classes: what makes the logits of the penultimate tensor (find_features) is replaced by one fully connected layer of
/// zeros. The logits keep their name, the graph's other outputs stay; what it said of its class names and its training goes.
/// Errors: those of find_features and validate; kInvalidArgument: fewer than 2 classes; kUnsupported: fewer
/// than 2 features.
Result<NewClassifier> with_new_classifier(Graph graph, std::int64_t classes);

/// `graph` for images of another size. Errors: kUnsupported: it takes no images, or what it gives would have another shape (a network
/// that ends in something other than a global average).
Result<Graph> with_image_size(Graph graph, std::int64_t height, std::int64_t width);

}  // namespace hedge::graph
