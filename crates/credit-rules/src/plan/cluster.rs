//! Divides the offers of a component into clusters: for each need, for each small cap, and the rest by their first
//! record.

use super::certificate::CLUSTER_MAX;
use super::problem::{Cluster, Problem, Source};
use super::table::Table;
use std::collections::BTreeMap;

/// Divides the offers of a component.
pub(super) fn divide(problem: &mut Problem) {
    let mut cluster_of: Vec<Option<usize>> = vec![None; problem.items.len()];
    let mut clusters: Vec<Cluster> = Vec::new();
    let mut lists: Vec<Vec<usize>> = by_need(problem);
    lists.extend(by_cap(problem));
    for list in lists {
        let new: Vec<usize> = list.into_iter().filter(|&item| cluster_of.at(item).is_none()).collect();
        if (2..=CLUSTER_MAX).contains(&new.len()) {
            for &item in &new {
                cluster_of.put(item, Some(clusters.len()));
            }
            clusters.push(Cluster { items: new, ..Cluster::default() });
        }
    }
    let mut groups: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (index, item) in problem.items.iter().enumerate().filter(|(index, _)| cluster_of.at(*index).is_none())
    {
        groups.entry(item.group).or_default().push(index);
    }
    for items in groups.into_values() {
        for &item in &items {
            cluster_of.put(item, Some(clusters.len()));
        }
        clusters.push(Cluster { items, ..Cluster::default() });
    }
    for cluster in &mut clusters {
        cluster.common = common(problem, cluster);
    }
    for (index, goal) in problem.goals.iter().enumerate() {
        let mut of = problem.items.iter().enumerate().filter(|(item, _)| counts(problem, *item, goal.row));
        let first = of.next().and_then(|(item, _)| cluster_of.at(item));
        if let Some(cluster) = first.and_then(|first| clusters.get_mut(first))
            && of.all(|(item, _)| cluster_of.at(item) == first)
        {
            cluster.goals.push(index);
        }
    }
    problem.clusters = clusters;
}

/// Whether an offer counts to the need of a row.
fn counts(problem: &Problem, item: usize, row: usize) -> bool {
    problem.items.get(item).is_some_and(|item| {
        item.terms.iter().any(|term| term.row == row)
            || item
                .slots
                .clone()
                .any(|slot| problem.slots.get(slot).is_some_and(|slot| slot.need == Some(row)))
    })
}

fn by_need(problem: &Problem) -> Vec<Vec<usize>> {
    let rows = problem.rows.iter().enumerate();
    let needs = rows.filter(|(_, row)| matches!(row.source, Source::Need(_)));
    needs
        .map(|(row, _)| (0..problem.items.len()).filter(|&item| counts(problem, item, row)).collect())
        .collect()
}

fn by_cap(problem: &Problem) -> Vec<Vec<usize>> {
    let mut caps: Vec<(i64, usize, Vec<usize>)> = Vec::new();
    for (row, users) in &problem.users {
        let mut items: Vec<usize> = users.iter().map(|user| user.item).collect();
        items.sort_unstable();
        items.dedup();
        caps.push((problem.rows.get(*row).map_or(0, |row| row.limit), *row, items));
    }
    caps.sort();
    caps.into_iter().map(|(_, _, items)| items).collect()
}

/// The rows of credit that every slot of a cluster uses.
fn common(problem: &Problem, cluster: &Cluster) -> Vec<usize> {
    let items = cluster.items.iter().filter_map(|&item| problem.items.get(item));
    let mut slots = items.flat_map(|item| item.slots.clone()).filter_map(|slot| problem.slots.get(slot));
    let Some(first) = slots.next() else { return Vec::new() };
    let mut common = first.rows.clone();
    for slot in slots {
        common.retain(|row| slot.rows.contains(row));
    }
    common
}
