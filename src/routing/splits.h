#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "hedge/policy.h"
#include "hedge/predictions.h"
#include "hedge/result.h"

namespace hedge::routing {

/// Whether two canonical data-set specifications ("NAME?split=S&limit=N") may name some of the same images: the same source, and the
/// same split or "all" in either. Limits count for nothing, as a limited split is a part of the whole one; so a content hash alone, which
/// a limit changes, does not tell. Sources divided otherwise (other groups, val/ as calibration split) may overlap whatever their splits.
/// Folders and files are compared by their written path without "." and "..". An empty specification is an unknown one and overlaps with
/// nothing. Several specifications may be joined (union_of_datasets).
bool same_or_overlapping(std::string_view a, std::string_view b);

/// `dataset` for the part `name` of a division of its rows, "…&part=NAME.DIVISION": parts of one division that have other names share no
/// image. `division` tells divisions apart: a text of letters and digits. Parts may be divided again.
std::string part_of_dataset(const std::string& dataset, const std::string& name, const std::string& division);
/// What names the images of all: the one specification with all their parts where they are of one, else all, separated by " | ".
std::string union_of_datasets(const std::vector<std::string>& datasets);

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
