#pragma once

#include <cstdint>
#include <vector>

#include "hedge/predictions.h"

namespace hedge::routing {

/// Three images, three classes, two features. The base is right on the first, the global on the first and the second.
inline PredictionTable small_table() {
  PredictionTable table;
  table.labels = Tensor::of<std::int64_t>({3}, std::vector<std::int64_t>{0, 1, 2});
  table.base_logits = Tensor::of<float>({3, 3}, std::vector<float>{2, 1, 0, 2, 1, 0, 0.1F, -0.0F, 1e-30F});
  table.base_features = Tensor::of<float>({3, 2}, std::vector<float>{1, 2, 3, 4, 5, 6});
  table.global_logits = Tensor::of<float>({3, 3}, std::vector<float>{9, 1, 0, 2, 8, 0, 3, 2, 1});
  table.info = {.dataset = "fashion-mnist?split=test",
                .split = "test",
                .content_hash = "c0ffee",
                .base_hash = "ba5e",
                .global_hash = "910ba1",
                .executor = "reference f32",
                .class_names = {"shirt", "sac à main", "\"boot\""},
                .features = "auto",
                .base_macs = 500000,
                .global_macs = 40000000,
                .base_parameters = 12345,
                .global_parameters = 678901};
  return table;
}

}  // namespace hedge::routing
