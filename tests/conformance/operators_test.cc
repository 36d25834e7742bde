// Every operator of the table, on every runner, against the reference.
#include <set>

#include "conformance/cases.h"
#include "conformance/runners.h"
#include "conformance/testing.h"
#include "graph/operators.h"

namespace hedge::conformance {

const std::vector<OperatorCase>& operator_cases() {
  static const std::vector<OperatorCase> cases = [] {
    std::vector<OperatorCase> all;
    add_elementwise_cases(all);
    add_window_cases(all);
    add_matrix_and_reduce_cases(all);
    add_layout_cases(all);
    add_quantize_cases(all);
    return all;
  }();
  return cases;
}

namespace {

class Operators : public testing::TestWithParam<OperatorCase> {};

TEST_P(Operators, agree_with_the_reference_on_every_runner) {
  constexpr std::uint64_t kSeed = 20240217;
  Rng rng(kSeed);
  auto graph = GetParam().build(rng);
  ASSERT_TRUE(graph.ok()) << graph.error().message();
  bool uses_operator = false;
  for (const auto& node : graph->nodes) uses_operator = uses_operator || node.op == GetParam().op;
  ASSERT_TRUE(uses_operator) << "the case does not contain its operator";
  auto reference = infer::make_reference_executor(*graph);
  ASSERT_TRUE(reference.ok()) << reference.error().message();
  for (const auto& runner : runners()) {
    if (!runner.every_operator) continue;
    SCOPED_TRACE(runner.name);
    auto executor = runner.make(*graph);
    ASSERT_TRUE(executor.ok()) << executor.error().message();
    for (const auto batch : GetParam().batches)
      expect_agreement(*graph, **reference, **executor, batch, kSeed + static_cast<std::uint64_t>(batch));
  }
}

INSTANTIATE_TEST_SUITE_P(Table, Operators, testing::ValuesIn(operator_cases()),
                         [](const auto& info) { return info.param.op + "_" + info.param.name; });

TEST(OperatorCases, cover_every_row_of_the_table) {
  std::set<std::string> covered;
  for (const auto& operator_case : operator_cases()) covered.insert(operator_case.op);
  for (const auto& row : graph::operator_table()) EXPECT_TRUE(covered.count(row.name) > 0) << "no conformance case for " << row.name;
  EXPECT_EQ(covered.size(), graph::operator_table().size()) << "a case for an operator that is not in the table";
}

TEST(Runners, are_there) { EXPECT_GE(runners().size(), 2U) << "OpenVINO and libtorch"; }

}  // namespace
}  // namespace hedge::conformance
