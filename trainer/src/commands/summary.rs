//! `emotion-trainer summary`.

use anyhow::Result;
use emotion_models::graph::LayerSummary;
use emotion_models::weights::Head;

use super::common::thousands;
use crate::cli::SummaryArgs;
use crate::run::network::Network;

/// Prints a table of the layers like Keras.
///
/// # Errors
///
/// When the input is too small for the network.
pub fn run(args: &SummaryArgs) -> Result<()> {
    let network = Network::new(args.arch, args.input_size, &[Head::Labels], 0)?;
    print!("{}", table(&network.layers()));
    Ok(())
}

fn table(layers: &[LayerSummary]) -> String {
    let rows: Vec<[String; 3]> = layers
        .iter()
        .map(|layer| {
            let title = format!("{} ({})", layer.name, layer.kind);
            [
                title,
                shape(&layer.output_shape),
                thousands(layer.parameters),
            ]
        })
        .collect();
    let header = ["Layer (type)", "Output shape", "Parameters"].map(str::to_owned);
    let width = |column: usize| {
        let cells = rows
            .iter()
            .chain([&header])
            .map(|row| row[column].chars().count());
        cells.max().unwrap_or(0)
    };
    let widths = [width(0), width(1), width(2)];
    let line = |[title, shape, parameters]: &[String; 3]| {
        format!(
            "{title:<0$}  {shape:<1$}  {parameters:>2$}\n",
            widths[0], widths[1], widths[2]
        )
    };
    let rule =
        |character: &str| format!("{}\n", character.repeat(widths.iter().sum::<usize>() + 4));

    let total: usize = layers.iter().map(|layer| layer.parameters).sum();
    let trainable: usize = layers.iter().map(|layer| layer.trainable).sum();
    let body: String = rows.iter().map(line).collect();
    format!(
        "{}{}{body}{}Total parameters: {}\nTrainable parameters: {}\nNon-trainable parameters: {}\n",
        line(&header),
        rule("="),
        rule("="),
        thousands(total),
        thousands(trainable),
        thousands(total - trainable),
    )
}

/// The shape as Keras prints it, with the batch first.
fn shape(dims: &[usize]) -> String {
    let dims: String = dims.iter().map(|dim| format!(", {dim}")).collect();
    format!("(None{dims})")
}

#[cfg(test)]
mod tests {
    use super::*;
    use emotion_models::weights::Architecture;

    fn lines(input_size: usize) -> Vec<String> {
        let network =
            Network::new(Architecture::MiniXception, input_size, &[Head::Labels], 0).unwrap();
        table(&network.layers())
            .lines()
            .map(str::to_owned)
            .collect()
    }

    #[test]
    fn the_totals_are_those_of_the_published_network() {
        let lines = lines(48);
        assert_eq!(
            lines[lines.len() - 3..],
            [
                "Total parameters: 58,423",
                "Trainable parameters: 56,951",
                "Non-trainable parameters: 1,472"
            ]
        );
    }

    #[test]
    fn every_line_of_the_table_has_the_same_width() {
        let lines = lines(64);
        let width = lines[0].chars().count();
        assert!(
            lines[..lines.len() - 3]
                .iter()
                .all(|line| line.chars().count() == width)
        );
        assert!(lines[2].contains("(None, 64, 64, 1)"));
    }
}
