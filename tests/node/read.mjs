// Connects a stock client, prints the text of a field, and exits: read.mjs ADDRESS TICKET DOCUMENT FIELD
import { connect } from './stock.mjs';

const [address, ticket, document, field] = process.argv.slice(2);
const { doc, provider } = await connect(address, ticket, document);
process.stdout.write(doc.getText(field).toString());
provider.destroy();
process.exit(0);
