#pragma once

#include <string_view>

#include "hedge/policy.h"
#include "hedge/predictions.h"
#include "hedge/result.h"

namespace hedge::routing {

/// Whether two canonical data-set specifications ("NAME?split=S&limit=N") may name some of the same images: the same source, and the
/// same split or "all" in either. Limits count for nothing, as a limited split is a part of the whole one; so a content hash alone, which
/// a limit changes, does not tell. Sources divided otherwise (other groups, val/ as calibration split) may overlap whatever their splits.
/// Folders and files are compared by their written path without "." and "..". An empty specification is an unknown one and overlaps with
/// nothing.
bool same_or_overlapping(std::string_view a, std::string_view b);

/// Base and global were not trained on this table's images, as far as the table knows; flattered predictions judge nothing.
/// Errors: kMismatch, naming the model.
Status check_unseen(const TableInfo& table);

/// `calibration` may give the threshold of a router fitted on `fit`: other images, which the models have not seen either, and
/// predictions of the same models, features and classes. Errors: kMismatch.
Status check_calibration(const TableInfo& fit, const TableInfo& calibration);

/// The policy is of the table's models; a hash that either leaves empty is not compared. A fitted router reads the features that it was
/// fitted with. `where` names the policy. Errors: kMismatch.
Status check_models(const Policy& policy, const TableInfo& table, std::string_view where);

}  // namespace hedge::routing
