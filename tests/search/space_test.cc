#include "search/space.h"

#include <gtest/gtest.h>

#include <set>

#include "graph/zoo.h"

namespace hedge::search {
namespace {

TEST(Space, every_familys_smallest_and_random_networks_can_be_built) {
  Rng rng(3);
  for (const char* family : {"mobile", "pooled", "resnet", "mobilenetv2:scale=0.1|0.25", "mobilenetv3-small:scale=0.1|0.35",
                             "mobilenetv3-large:scale=0.1|0.35", "ofa-mbv3:width=0.25"}) {
    const auto space = Space::parse(family);
    ASSERT_TRUE(space.ok()) << space.error().message();
    for (const auto& genotype : {space->smallest(), space->random(rng), space->mutate(space->random(rng), 0.5, rng)}) {
      const auto net = space->candidate(genotype).net;
      const auto graph = graph::build_zoo(net, {.channels = 3, .height = 32, .width = 32}, 7, 1);
      EXPECT_TRUE(graph.ok()) << net << ": " << (graph.ok() ? "" : graph.error().message());
    }
  }
}

TEST(Space, takes_the_values_that_are_given) {
  const auto space = Space::parse("mobile:width=4|6,expand=3,depth=2,stem=8,head=64,size=24|data").value();
  EXPECT_EQ(space.count(), 4);
  EXPECT_EQ(space.candidate(space.smallest()).to_string(), "mobile:4,expand=3,depth=2,stem=8,head=64@24");
  EXPECT_EQ(space.candidate({1, 0, 0, 0, 0, 1}).to_string(), "mobile:6,expand=3,depth=2,stem=8,head=64");
}

TEST(Space, refuses_what_it_does_not_know_and_says_what_there_is) {
  for (const auto& [text, said] : {std::pair{"vgg", "mobile, pooled"},
                                   {"mobile:colour=3", "width"},
                                   {"mobile:width", "width"},
                                   {"mobile:width=", "values"},
                                   {"mobile:size=7", "8 to 1024"},
                                   {"mobile:size=big", "8 to 1024"}}) {
    const auto space = Space::parse(text);
    ASSERT_FALSE(space.ok()) << text;
    EXPECT_EQ(space.error().code, ErrorCode::kInvalidArgument);
    EXPECT_NE(space.error().message().find(said), std::string::npos) << space.error().message();
  }
}

TEST(Space, mutation_changes_a_gene_and_a_child_has_both_parents_genes) {
  const auto space = Space::parse("mobile:stem=8,head=64").value();
  Rng rng(5);
  for (int i = 0; i < 100; ++i) {
    const auto genotype = space.random(rng), mutant = space.mutate(genotype, 0, rng);
    EXPECT_NE(mutant, genotype);
    const auto child = space.cross(genotype, mutant, rng);
    for (std::size_t g = 0; g < child.size(); ++g) {
      EXPECT_TRUE(child[g] == genotype[g] || child[g] == mutant[g]);
      EXPECT_LT(mutant[g], space.genes()[g].values.size());
    }
  }
}

TEST(Space, blocks_beyond_the_depth_make_no_other_network) {
  const auto space = Space::parse("ofa-mbv3:halvings=4").value();
  Rng rng(6);
  auto genotype = space.random(rng);
  const auto& genes = space.genes();
  const auto at = [&](const std::string& name) {
    return static_cast<std::size_t>(std::find_if(genes.begin(), genes.end(), [&](const Gene& g) { return g.name == name; }) -
                                    genes.begin());
  };
  genotype[at("depth2")] = 0;  // two blocks: the third, block 7 of 20, is not there
  genotype[at("kernel7")] = 2;
  genotype[at("kernel6")] = 2;
  const auto canonical = space.canonical(genotype);
  EXPECT_EQ(canonical[at("kernel7")], 0);
  EXPECT_EQ(canonical[at("kernel6")], 2);
  auto other = genotype;
  other[at("expand8")] = 2;
  EXPECT_EQ(space.candidate(canonical).to_string(), space.candidate(space.canonical(other)).to_string());
  const auto shallow = space.describe(canonical);
  auto deeper = genotype;
  deeper[at("depth2")] = 2;
  const auto deep = space.describe(space.canonical(deeper));
  EXPECT_EQ(shallow.size(), 20U * 3 + 5);
  EXPECT_EQ(deep.size(), shallow.size());
  EXPECT_NE(deep, shallow);
  EXPECT_TRUE(std::all_of(deep.begin(), deep.end(), [](double v) { return v >= 0 && v <= 1; }));
  EXPECT_NE(Space::parse("ofa-mbv3:depth1=x").value().random(rng).size(), 0U) << "what is no number is left to the zoo to refuse";
}

}  // namespace
}  // namespace hedge::search